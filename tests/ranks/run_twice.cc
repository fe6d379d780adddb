// Without an MPI of main's own, the first run ends MPI: a second is refused with a message. So are
// calls in plain code that only a thread can make.
#include <cstdio>
#include <string>
#include <thread>

#include "roam/roam.h"

namespace {

template <class F>
bool refused(roam::Errc code, const char* what, F call) {
  try {
    call();
  } catch (const roam::Error& error) {
    if (error.code() == code && error.what()[0] != '\0') return true;
    fprintf(stderr, "%s: Error(%s): %s\n", what, roam::to_string(error.code()), error.what());
    return false;
  }
  fprintf(stderr, "%s was not refused\n", what);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  using roam::Errc;
  bool ok = roam::rank() == 0 && roam::ranks() == 1 && !roam::this_thread::self();
  if (!ok) fprintf(stderr, "before run: rank %d of %d\n", roam::rank(), roam::ranks());
  ok &= refused(Errc::not_in_thread, "migrate before run", [] { roam::this_thread::migrate(0); });
  // Plain code may use them, where a run may begin; other kernel threads may not: it may do so
  // while they are in the midst.
  roam::Channel<int> channel;
  roam::Latch two(2);
  channel.send(3);
  ok &= channel.try_recv() == 3;
  std::thread([&] {
    ok &= refused(Errc::not_running, "try_send before run", [&] { channel.try_send(1); });
    ok &= refused(Errc::not_running, "count_down before run", [&] { two.count_down(); });
  }).join();
  ok &= channel.empty();
  two.count_down(2);
  const int code = roam::run(argc, argv, [&] {
    roam::spawn(roam::SpawnOptions{.rank = roam::ranks() - 1}, [] {}).join();
    return refused(Errc::not_running, "run inside run", [&] { roam::run(argc, argv, [] {}); }) ? 5
                                                                                               : 6;
  });
  ok &= code == 5;
  ok &= refused(Errc::not_running, "a second run", [&] { roam::run(argc, argv, [] {}); });
  ok &= refused(Errc::not_in_thread, "migrate after run", [] { roam::this_thread::migrate(0); });
  roam::Latch latch(1);
  ok &= refused(Errc::not_in_thread, "a wait in plain code", [&] { latch.wait(); });
  return ok ? 0 : 1;
}
