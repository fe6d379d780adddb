#include "runtime/trace/event_store.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>

namespace roam::runtime {
namespace {

// An event whose text rows hold its own number.
void add(EventStore& store, std::uint64_t number, std::size_t rows) {
  Event* event = store.add(1 + rows);
  std::memset(static_cast<void*>(event), 0, sizeof *event);
  event->ticks = number;
  event->rows = static_cast<std::uint32_t>(rows) & 15;
  for (std::size_t i = 1; i <= rows; ++i) {
    std::memset(static_cast<void*>(event + i), static_cast<int>(number % 251), sizeof *event);
  }
}

void expect_all(EventStore& store, std::uint64_t count) {
  EventStore::Reader reader(store);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Event* event = reader.next();
    ASSERT_NE(event, nullptr) << i;
    ASSERT_EQ(event->ticks, i);
    const auto* text = reinterpret_cast<const unsigned char*>(event + 1);
    for (std::size_t k = 0; k < event->rows * sizeof(Event); ++k) ASSERT_EQ(text[k], i % 251);
  }
  EXPECT_EQ(reader.next(), nullptr);
  EXPECT_EQ(reader.next(), nullptr);
}

TEST(EventStore, WithoutEventsHasNone) {
  EventStore store;
  ASSERT_TRUE(store.open());
  expect_all(store, 0);
}

TEST(EventStore, GivesBackWhatFitsIntoTheBuffer) {
  EventStore store;  // without a file
  for (std::uint64_t i = 0; i < EventStore::kRows; ++i) add(store, i, 0);
  EXPECT_EQ(store.dropped(), 0u);
  expect_all(store, EventStore::kRows);
}

TEST(EventStore, GivesBackWhatWentToTheFileInOrder) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    EventStore store;
    ASSERT_TRUE(store.open());
    const std::uint64_t count = random() % (6 * EventStore::kRows);
    for (std::uint64_t i = 0; i < count; ++i) add(store, i, random() % 3 == 0 ? random() % 9 : 0);
    expect_all(store, count);
  }
}

TEST(EventStore, CountsWhatThereIsNoRoomFor) {
  EventStore store;  // without a file
  for (std::uint64_t i = 0; i < EventStore::kRows + 1; ++i) add(store, i, 0);
  EXPECT_EQ(store.dropped(), EventStore::kRows);
  EventStore::Reader reader(store);
  const Event* last = reader.next();
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->ticks, EventStore::kRows);
  EXPECT_EQ(reader.next(), nullptr);
}

}  // namespace
}  // namespace roam::runtime
