#include "runtime/trace/trace.h"

#include <gtest/gtest.h>

#include <vector>

namespace roam::runtime {
namespace {

std::vector<Event> all(Trace& trace, Event::Kind kind) {
  std::vector<Event> events;
  EventStore::Reader reader(trace.events());
  while (const Event* event = reader.next()) {
    if (event->kind == kind) events.push_back(*event);
  }
  return events;
}

TEST(Trace, ATurnThatWasInterruptedByTheRuntimeIsOne) {
  Trace trace(1, 0);
  trace.ran(5, 1000, 2000);
  trace.ran(5, 2100, 3000);
  trace.ran(6, 3000, 3500);
  trace.ran(5, 3500, 4000);
  trace.ran(5, 100'000, 200'000);
  trace.close(300'000, 0, 0);
  const std::vector<Event> turns = all(trace, Event::kTurns);
  ASSERT_EQ(turns.size(), 4u);
  EXPECT_EQ(turns[0].ticks, 1000u);
  EXPECT_EQ(turns[0].value, 3000u);
  EXPECT_EQ(turns[1].thread, 6u);
}

TEST(Trace, TheFirstTurnsAreNotedOneByOneAndVeryManyInBoundedSpace) {
  Trace trace(1, 0);
  constexpr std::uint64_t kTurns = 20'000'000;
  std::uint64_t now = 0;
  for (std::uint64_t i = 0; i < kTurns; ++i, now += 20) trace.ran(1 + i % 2, now, now + 15);
  trace.close(now, 0, 0);
  const std::vector<Event> turns = all(trace, Event::kTurns);
  for (std::size_t i = 0; i < Trace::kFullDetail; ++i) ASSERT_EQ(turns[i].number, 1u);
  EXPECT_LT(turns.size(), 20 * Trace::kFullDetail);
  std::uint64_t counted = 0, last_end = 0;
  for (const Event& event : turns) {
    EXPECT_GE(event.ticks, last_end);
    last_end = event.value;
    counted += event.number;
  }
  EXPECT_EQ(counted, kTurns);
}

TEST(Trace, OfManyMessagesBothSidesNoteTheSame) {
  Trace sender(2, 0), receiver(2, 0);
  constexpr std::uint64_t kMessages = 1'000'000;
  for (std::uint64_t i = 1; i <= kMessages; ++i) {
    sender.sent(5, 6, 1, 8, 0, 7, i, i);
    receiver.received(5, 6, 0, 8, 0, 7, i);
  }
  sender.close(1, 0, 0);
  const std::size_t noted = all(sender, Event::kSent).size();
  EXPECT_EQ(noted, all(receiver, Event::kReceived).size());
  EXPECT_GT(noted, 1'000u);
  EXPECT_LT(noted, 10'000u);
}

TEST(Trace, SamplesGetRarerInALongRun) {
  Trace trace(1, 0);
  std::uint64_t samples = 0;
  for (std::uint64_t now = 0; now < 1'000'000'000'000; now += 1'000'000) {
    if (!trace.wants_sample(now)) continue;
    trace.sample(now, 1, 1, 0, 0);
    ++samples;
  }
  EXPECT_GT(samples, 10'000u);
  EXPECT_LT(samples, 60'000u);
}

}  // namespace
}  // namespace roam::runtime
