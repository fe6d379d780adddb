#ifndef ROAM_THREADS_TEST_THREADS_H_
#define ROAM_THREADS_TEST_THREADS_H_

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/job_clock.h"
#include "isomalloc/test_arena.h"
#include "threads/scheduler.h"
#include "threads/tcb.h"

namespace roam::threads {

// For tests: the threads of one rank without a runtime, their scheduler's host a fake. Ends with a
// failure that lists who waits for what if nothing can run any more. The malloc family is not
// captured unless the test links it.
class TestThreads : public Host {
 public:
  static constexpr std::uintptr_t kCanary = 0x5eed'cafe'f00d'1200;
  static constexpr int kRank = 2;

  explicit TestThreads(bool shared = false, std::size_t arena_bytes = std::size_t{16} << 30,
                       std::uint64_t shuffle_seed = 0)
      : arena_(shared, arena_bytes) {
    scheduler().start(kRank, kCanary, shuffle_seed);
  }
  ~TestThreads() override { scheduler().slots().drop_resting(0); }

  // A thread that runs `body` when run() is called, or in its turn if that has begun. From plain
  // code and from threads.
  Tcb* spawn(std::function<void()> body, std::string_view name = "test",
             std::size_t stack_bytes = 256 << 10) {
    iso::HeapScope process;
    Tcb* t = scheduler().slots().make(stack_bytes, name);
    bodies_.push_back(std::move(body));
    t->closure = &bodies_.back();
    t->entry = [](void* closure) { (*static_cast<std::function<void()>*>(closure))(); };
    t->id.store(++last_id_);
    ++live_;
    scheduler().slots().came(t);
    scheduler().make_ready(t);
    return t;
  }
  // Runs all threads to their ends.
  void run() { scheduler().run(*this); }

  void poll() override {
    EXPECT_EQ(iso::current_heap, nullptr);
    EXPECT_EQ(scheduler().current(), nullptr);
    ++polls;
    if (on_poll) on_poll();
  }
  void idle(std::int64_t wake_ns) override {
    if (wake_ns != 0) {
      while (job_now_ns() < wake_ns) sched_yield();
      return;
    }
    if (on_idle && on_idle()) return;
    std::string waiting;
    scheduler().slots().for_each([&](const Tcb* t) {
      waiting += std::string("\n  '") + t->name() + "' is " + detail::to_string(t->state) +
                 " for " + (t->waits_for != nullptr ? t->waits_for : "nothing");
    });
    ADD_FAILURE() << "nothing can run, and " << live_ << " threads live:" << waiting;
    live_ = 0;
  }
  // Refuses, unless a test takes the thread.
  void depart(Tcb* t, int rank) override {
    EXPECT_EQ(t->state, State::kDeparting);
    EXPECT_TRUE(Scheduler::may_move(t)) << t->name();
    departures.emplace_back(t, rank);
    if (on_depart) {
      on_depart(t, rank);
    } else {
      scheduler().resume_arrived(t);
    }
  }
  void ended(Tcb* t) override {
    EXPECT_EQ(t->state, State::kEnded);
    EXPECT_EQ(t->exceptions.caught, nullptr);
    expect_nothing_holds(t);
    if (on_ended) on_ended(t);
    t->exception = nullptr;
    t->heap.release_all();
    scheduler().slots().left(t);
    scheduler().slots().retire(t);
    --live_;
  }
  // On the thread's own stack, as Runtime does it, unless a test looks at how threads end.
  bool ended_clean(Tcb* t) override {
    EXPECT_EQ(iso::current_heap, nullptr);
    if (on_ended || t->exception != nullptr || !t->heap.release_empty()) return false;
    expect_nothing_holds(t);
    scheduler().slots().left(t);
    scheduler().slots().retire(t);
    --live_;
    ++ended_clean_count;
    return true;
  }
  void untie_elsewhere(Tcb* t, std::uint64_t id) override { untied.emplace_back(t, id); }
  bool done() override { return live_ == 0; }

  int polls = 0;
  int ended_clean_count = 0;
  std::vector<std::pair<Tcb*, int>> departures;
  std::vector<std::pair<Tcb*, std::uint64_t>> untied;
  std::function<void()> on_poll;
  std::function<bool()> on_idle;  // true: something can run now
  std::function<void(Tcb*, int)> on_depart;
  std::function<void(Tcb*)> on_ended;

 private:
  static void expect_nothing_holds(const Tcb* t) {
    EXPECT_EQ(t->pins | t->open_objects | t->locks, 0)
        << "'" << t->name() << "' ended while something held it";
  }

  iso::TestArena arena_;
  std::list<std::function<void()>> bodies_;
  std::uint64_t last_id_ = 0;
  std::size_t live_ = 0;
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_TEST_THREADS_H_
