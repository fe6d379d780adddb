#include "threads/guest.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "threads/kernel_state.h"
#include "threads/scheduler.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

struct Noting final : Guest {
  Noting(std::string* log, char name) : log(log), name(name) {}
  void enter() override {
    EXPECT_EQ(iso::current_heap, nullptr);
    *log += name;
  }
  void depart() override {
    EXPECT_EQ(iso::current_heap, nullptr);
    EXPECT_EQ(scheduler().current(), nullptr);
    *log += '-';
    *log += name;
  }
  std::string* log;
  char name;
};

TEST(Guest, EntersWheneverItsThreadRunsAfterAnotherOne) {
  TestThreads threads;
  std::string log;
  Noting a(&log, 'a'), b(&log, 'b');
  const auto body = [&](Noting* guest) {
    KernelState::set_guest(guest);
    for (int i = 0; i < 3; ++i) {
      scheduler().yield();
      log += ' ';
    }
    KernelState::set_guest(nullptr);
  };
  threads.spawn([&] { body(&a); });
  threads.spawn([&] { body(&b); });
  threads.spawn([&] {
    for (int i = 0; i < 6; ++i) scheduler().yield();
  });
  threads.run();
  EXPECT_EQ(log, "a b a b a b ");
}

// Of which system calls of its own may fail.
TEST(Guest, ErrnoIsTheThreads) {
  struct Failing final : Guest {
    void enter() override { errno = EINVAL; }
    void depart() override { errno = EINVAL; }
  };
  TestThreads threads;
  Failing guest;
  threads.on_depart = [&](Tcb* t, int) { scheduler().resume_arrived(t); };
  threads.spawn([&] {
    KernelState::set_guest(&guest);
    for (int i = 0; i < 3; ++i) {
      errno = 70 + i;
      scheduler().yield();
      EXPECT_EQ(errno, 70 + i);
      scheduler().depart_current(TestThreads::kRank + 1);
      EXPECT_EQ(errno, 70 + i);
    }
    KernelState::set_guest(nullptr);
  });
  threads.spawn([] {
    for (int i = 0; i < 6; ++i) {
      errno = 5;
      scheduler().yield();
      EXPECT_EQ(errno, 5);
    }
  });
  threads.run();
}

TEST(Guest, DepartsBeforeItsThreadAndEntersWhereItArrivesOrIsRefused) {
  TestThreads threads;
  std::string log;
  Noting guest(&log, 'g');
  threads.on_depart = [&](Tcb* t, int) {
    log += '>';
    scheduler().resume_arrived(t);
  };
  Tcb* t = threads.spawn([&] {
    KernelState::set_guest(&guest);
    scheduler().depart_current(3);
    log += ' ';
    scheduler().yield();  // it is ready when it is sent on
    log += ' ';
    KernelState::set_guest(nullptr);
    scheduler().depart_current(3);
  });
  threads.spawn([&] {
    while (log.find(' ') == std::string::npos) scheduler().yield();
    scheduler().ask_to_move(t, 5);
  });
  threads.run();
  EXPECT_EQ(log, "-g>g -g>g >");
}

TEST(Guest, AThreadInTheSameSlotHasNone) {
  TestThreads threads;
  std::string log;
  Noting guest(&log, 'g');
  threads.spawn([&] { KernelState::set_guest(&guest); });
  threads.run();
  threads.spawn([&] {
    scheduler().yield();
    scheduler().depart_current(3);
  });
  threads.run();
  EXPECT_EQ(log, "");
}

// Guests switch to each other, to threads that keep nothing, and to those that keep more, by way of
// the rank's own stack or not: whoever runs finds what is its own in place.
TEST(Guest, EachIsInPlaceWhileItsThreadRunsWhateverRunsBetween) {
  struct InPlace final : Guest {
    explicit InPlace(const InPlace** present) : present(present) {}
    void enter() override { *present = this; }
    void depart() override { *present = nullptr; }
    const InPlace** present;
  };
  constexpr int kThreads = 12, kRounds = 2000;
  TestThreads threads;
  const InPlace* present = nullptr;
  std::vector<std::unique_ptr<InPlace>> guests;
  std::vector<Tcb*> blocked;
  int ended = 0;
  threads.on_depart = [&](Tcb* t, int) { scheduler().resume_arrived(t); };
  threads.on_idle = [&] {
    for (Tcb* t : std::exchange(blocked, {})) scheduler().make_ready(t);
    return true;
  };
  for (int i = 0; i < kThreads; ++i) {
    guests.push_back(std::make_unique<InPlace>(&present));
    threads.spawn([&, i] {
      const InPlace* mine = i % 3 != 0 ? guests[static_cast<std::size_t>(i)].get() : nullptr;
      if (mine != nullptr) {
        KernelState::set_guest(guests[static_cast<std::size_t>(i)].get());
        present = mine;
      }
      if (i % 4 == 1) KernelState::watch_x87(false);  // another way to switch
      std::minstd_rand random(static_cast<unsigned>(i) + 1);
      for (int round = 0; round < kRounds; ++round) {
        switch (random() % 8) {
          case 0:
            blocked.push_back(scheduler().current());
            scheduler().block("nothing", nullptr);
            break;
          case 1:
            if (!blocked.empty()) {
              scheduler().make_ready(blocked.back());
              blocked.pop_back();
            }
            break;
          case 2:
            scheduler().depart_current(TestThreads::kRank + 1);
            break;
          case 3:
            on_rank_stack([&] { present = nullptr; });
            break;
          case 4:
            scheduler().run_seconds(scheduler().current());
            break;
          default:
            scheduler().yield();
        }
        ASSERT_TRUE(mine == nullptr || present == mine) << "thread " << i << ", round " << round;
      }
      KernelState::set_guest(nullptr);
      ++ended;
    });
  }
  threads.run();
  EXPECT_EQ(ended, kThreads);
}

}  // namespace
}  // namespace roam::threads
