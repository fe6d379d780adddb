// A kernel thread that is there before run() wakes threads of the job, in a first run and in a
// later one; and MPI's own are not taken for such.
//
//   outsiders_before_run [deadlock]   deadlock: a thread waits in the second run, and nobody is
//   left
//                                     to wake it
#include <mpi.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

#include "roam/roam.h"
#include "tests/support/check.h"

namespace {

// Fulfils promises, each a while after it is given, until it gets none. It sleeps meanwhile: no
// thread of the job is there to be seen.
class Worker {
 public:
  void work() {
    for (;;) {
      roam::Promise<int>* promise;
      while ((promise = given_.exchange(nullptr)) == nullptr) pause();
      if (promise == last()) return;
      for (int i = 0; i < 100; ++i) pause();
      promise->set_value(7);
    }
  }
  int ask() {
    roam::Promise<int> promise;
    roam::Future<int> future = promise.get_future();
    given_ = &promise;
    return future.get();
  }
  void end() {
    while (given_ != nullptr) pause();
    given_ = last();
  }

 private:
  static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }
  static roam::Promise<int>* last() {
    static char none;
    return reinterpret_cast<roam::Promise<int>*>(&none);
  }
  std::atomic<roam::Promise<int>*> given_ = nullptr;
};

Worker before_run, of_first_run;
std::thread pool;  // made in the first run

int first_run() {
  pool = std::thread([] { of_first_run.work(); });
  return before_run.ask() + of_first_run.ask();
}

int second_run() { return before_run.ask() + of_first_run.ask(); }

void wait_for_ever() {
  roam::Promise<int> promise;
  promise.get_future().get();
}

}  // namespace

int main(int argc, char** argv) {
  const bool deadlock = argc > 1 && std::string_view(argv[1]) == "deadlock";
  MPI_Init(&argc, &argv);
  std::thread outside([] { before_run.work(); });
  roam_test::expect_eq(roam::run(argc, argv, first_run), 14, "the first run's sum");
  // Another kernel thread than the first run's has no run.
  std::string why;
  std::thread([&] {
    try {
      roam::run(argc, argv, [] {});
    } catch (const roam::Error& error) {
      if (error.code() == roam::Errc::not_running) why = error.what();
    }
  }).join();
  roam_test::expect_contains(why, {"another kernel thread"});
  if (!deadlock)
    roam_test::expect_eq(roam::run(argc, argv, second_run), 14, "the second run's sum");
  before_run.end();
  outside.join();
  if (pool.joinable()) {
    of_first_run.end();
    pool.join();
  }
  if (deadlock) roam::run(argc, argv, wait_for_ever);
  MPI_Finalize();
  return 0;
}
