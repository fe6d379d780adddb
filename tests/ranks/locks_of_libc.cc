// Locks of libc and libstdc++ between threads of one rank, and in the hands of one that moves.
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"

namespace {

using roam_test::expect;
using roam_test::expect_eq;

std::recursive_mutex of_the_rank;
std::once_flag once;
int made = 0, inside = 0;

// A thread that holds `Lock` in its own memory moves and is right, or stays and is told why.
template <class Lock>
void hold_and_move() {
  roam::spawn([] {
    Lock lock;
    const int here = roam::rank(), to = (here + 1) % roam::ranks();
    bool moved = true;
    {
      std::lock_guard guard(lock);
      try {
        roam::this_thread::migrate(to);
      } catch (const roam::Error& e) {
        expect_eq(e.code() == roam::Errc::pinned, true, "that it is pinned");
        moved = false;
      }
      expect_eq(roam::rank(), moved ? to : here, "the rank");
    }
    roam::this_thread::migrate((to + 1) % roam::ranks());
    expect(lock.try_lock(), "the lock is free");
    lock.unlock();
  }).join();
}

void share() {
  std::vector<roam::Thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(roam::spawn([] {
      std::call_once(once, [] {
        roam::this_thread::sleep_for(std::chrono::milliseconds(5));
        ++made;
      });
      expect_eq(made, 1, "times made");
      std::lock_guard guard(of_the_rank);
      expect_eq(++inside, 1, "threads inside");
      roam::this_thread::yield();
      --inside;
    }));
  }
  for (roam::Thread t : threads) t.join();
}

struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool waits = false, open = false;

  void pass() {
    std::unique_lock lock(mutex);
    waits = true;
    changed.wait(lock, [&] { return open; });
  }
  bool somebody_waits() {
    const std::lock_guard guard(mutex);
    return waits;
  }
  void let_pass() {
    const std::lock_guard guard(mutex);
    open = true;
    changed.notify_all();
  }
};

// Who has the memory stays while another waits there.
void wait_in_anothers_memory() {
  roam::spawn([] {
    Gate gate;
    const int here = roam::rank(), to = (here + 1) % roam::ranks();
    const roam::Thread other = roam::spawn([&gate] { gate.pass(); });
    while (!gate.somebody_waits()) roam::this_thread::yield();
    bool pinned = false;
    try {
      roam::this_thread::migrate(to);
    } catch (const roam::Error& e) {
      pinned = e.code() == roam::Errc::pinned;
    }
    expect(pinned, "who is waited for is pinned");
    gate.let_pass();
    other.join();
    roam::this_thread::migrate(to);
    expect_eq(roam::rank(), to, "the rank afterwards");
  }).join();
}

// On another rank of the node a thread sees the memory, and tells who waits there.
void notify_from_another_rank() {
  if (roam::node_of(0) != roam::node_of(1)) return;
  roam::spawn([] {
    Gate gate;
    const roam::Thread other =
        roam::spawn(roam::SpawnOptions{.rank = (roam::rank() + 1) % roam::ranks()}, [&gate] {
          while (!gate.somebody_waits()) roam::this_thread::yield();
          gate.let_pass();
        });
    gate.pass();
    other.join();
  }).join();
}

}  // namespace

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    hold_and_move<std::mutex>();
    hold_and_move<std::timed_mutex>();
    hold_and_move<std::recursive_mutex>();
    hold_and_move<std::shared_mutex>();
    share();
    wait_in_anothers_memory();
    notify_from_another_rank();
  });
}
