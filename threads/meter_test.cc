#include "threads/meter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace roam::threads {
namespace {

// Turns that take as many ticks as a test says. The first million ticks of a meter depend on no
// clock.
class Turns {
 public:
  static constexpr std::uint64_t kEnd = 1'000'000;

  explicit Turns(bool every_turn = false) { meter.start(every_turn); }

  // `t` runs for so long, and switches.
  void run(Tcb* t, std::uint64_t ticks) {
    now += ticks;
    if (--budget >= 0) return;
    std::uint64_t window = meter.next_window(t, now, left());
    if (window == 0) {
      ++visits;
      window = meter.visited(now, left());
    }
    longest = std::max(longest, window);
    ++windows;
    budget = static_cast<std::int64_t>(window) - 1;
  }
  std::uint64_t left() const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(budget + 1, 0));
  }

  Meter meter;
  std::uint64_t now = 0;
  std::int64_t budget = 0;
  std::uint64_t longest = 0, windows = 0;
  int visits = 0;
};

// Control blocks of no thread.
struct Pair {
  std::unique_ptr<Tcb> a = std::make_unique<Tcb>(), b = std::make_unique<Tcb>();
};

void expect_near(std::uint64_t got, std::uint64_t wanted, double part) {
  EXPECT_NEAR(static_cast<double>(got), static_cast<double>(wanted),
              part * static_cast<double>(wanted));
}

TEST(Meter, TurnsOfAnyLengthAddUpToWhatTheThreadRan) {
  for (const std::uint64_t ticks : {20, 48, 200, 1'000, 5'000, 20'000}) {
    SCOPED_TRACE(ticks);
    Pair threads;
    Turns turns;
    while (turns.now + ticks < Turns::kEnd) turns.run(threads.a.get(), ticks);
    expect_near(threads.a->run_ticks, turns.now, 0.1);
    EXPECT_LE(threads.a->run_ticks, turns.now);
  }
}

TEST(Meter, EachOfThreadsThatTakeTurnsIsChargedItsOwn) {
  for (const std::uint64_t ticks : {20, 100, 1'000}) {
    SCOPED_TRACE(ticks);
    Pair threads;
    Turns turns;
    std::uint64_t ran_a = 0, ran_b = 0;
    while (turns.now + 4 * ticks < Turns::kEnd) {
      turns.run(threads.a.get(), ticks);
      ran_a += ticks;
      turns.run(threads.b.get(), 3 * ticks);
      ran_b += 3 * ticks;
    }
    expect_near(threads.a->run_ticks, ran_a, 0.3);
    expect_near(threads.b->run_ticks, ran_b, 0.3);
  }
}

TEST(Meter, TheClockIsReadSeldomWhereTurnsAreShortAndEachTimeWhereTheyAreLong) {
  Pair threads;
  Turns short_ones, long_ones;
  std::uint64_t count = 0;
  for (; short_ones.now < Turns::kEnd; ++count) short_ones.run(threads.a.get(), 20);
  EXPECT_LT(short_ones.windows, count / 50);
  EXPECT_LE(short_ones.longest, 192u);
  for (count = 0; long_ones.now < Turns::kEnd; ++count) long_ones.run(threads.b.get(), 10'000);
  EXPECT_EQ(long_ones.windows, count);
}

TEST(Meter, TheRanksOwnStackRunsOnceInAWhile) {
  for (const std::uint64_t ticks : {20, 1'000, 10'000, 100'000}) {
    SCOPED_TRACE(ticks);
    Pair threads;
    Turns turns;
    while (turns.now + ticks < Turns::kEnd) turns.run(threads.a.get(), ticks);
    EXPECT_GE(turns.visits, ticks == 100'000 ? 9 : 14);
    EXPECT_LE(turns.visits, 20);
  }
}

TEST(Meter, NobodysTurnIsChargedToNobody) {
  Turns turns;
  while (turns.now < Turns::kEnd) turns.run(nullptr, 1'000);
  EXPECT_GT(turns.visits, 0);
}

TEST(Meter, EveryTurnIsMeasuredIfItWasAskedTo) {
  Pair threads;
  Turns turns(true);
  std::uint64_t before = 0;
  for (std::uint64_t ticks = 1; turns.now + ticks < Turns::kEnd; ++ticks) {
    Tcb* t = ticks % 2 != 0 ? threads.a.get() : threads.b.get();
    turns.run(t, ticks);
    if (ticks == 1) before = turns.now;  // from here on
  }
  EXPECT_EQ(turns.longest, 1u);
  EXPECT_EQ(threads.a->run_ticks + threads.b->run_ticks, turns.now - before);
}

TEST(Meter, WhoListensIsToldOfEveryTurn) {
  static std::uint64_t told, told_ticks;
  told = told_ticks = 0;
  Pair threads;
  Turns turns;
  turns.meter.turn_ended = [](const Tcb*, std::uint64_t begin, std::uint64_t end) {
    ++told;
    told_ticks += end - begin;
  };
  std::uint64_t count = 0;
  for (; turns.now < Turns::kEnd; ++count) turns.run(threads.a.get(), 100);
  EXPECT_EQ(told, count - 1) << "all but the one that ran when it began";
  EXPECT_EQ(told_ticks, 100 * told);
}

TEST(Meter, WhoAsksIsMeasuredFromThere) {
  Pair threads;
  Turns turns;
  for (int i = 0; i < 5'000; ++i) turns.run(threads.a.get(), 20);
  Tcb* t = threads.b.get();
  turns.meter.measure_from_here(t, turns.now);
  EXPECT_TRUE(turns.meter.measures());
  turns.meter.measure_from_here(t, ++turns.now);  // this turn stands for earlier ones too
  const std::uint64_t before = t->run_ticks;
  turns.now += 30'000;
  turns.meter.measure_from_here(t, turns.now);
  EXPECT_EQ(t->run_ticks - before, 30'000u);
}

TEST(Meter, AnInterruptedTurnStandsForItselfOnly) {
  Pair threads;
  Turns turns;
  for (int i = 0; i < 10'000 || !turns.meter.measures(); ++i) turns.run(threads.a.get(), 20);
  const std::uint64_t before = threads.a->run_ticks;
  turns.run(threads.a.get(), 400'000);
  const std::uint64_t charged = threads.a->run_ticks - before;
  EXPECT_GE(charged, 400'000u);
  EXPECT_LT(charged, 800'000u);
}

TEST(Meter, ALongTurnCountsAsTheProcessorTimeThatItHad) {
  Pair threads;
  Turns turns;
  turns.meter.set_shared_core(true);
  turns.meter.visited(1'000, 0);
  turns.meter.end_turn(threads.a.get(), 401'000);
  EXPECT_EQ(threads.a->run_ticks, 400'000u) << "this one is not long";
  turns.meter.visited(500'000, 0);
  turns.meter.end_turn(threads.b.get(), 1'000'000'000'000'000);
  EXPECT_LT(threads.b->run_ticks, 1'000'000'000'000u) << "others had the core for those days";
}

}  // namespace
}  // namespace roam::threads
