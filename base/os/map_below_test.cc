#include "base/os/map_below.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <vector>

#include "base/os/mappings.h"

namespace roam::os {
namespace {

constexpr Address kEnd = 0x5900'0000'0000;
constexpr std::size_t kBytes = 3 * kPageBytes;

Address map() {
  void* at = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return reinterpret_cast<Address>(at);
}
void unmap(Address at) { munmap(reinterpret_cast<void*>(at), kBytes); }

TEST(MapBelowTest, WhatIsMappedLiesThereAndLaterWhereItWould) {
  unmap(map());  // the list below may need memory of its own: it has it
  std::vector<Address> there;
  {
    const MapBelow below(kEnd);
    there.push_back(map());
    there.push_back(map());
  }
  const Address later = map();
  EXPECT_EQ(there[0], kEnd - kBytes);
  EXPECT_EQ(there[1], kEnd - 2 * kBytes);
  EXPECT_GT(later, kEnd);
  *reinterpret_cast<int*>(there[1]) = 4711;
  EXPECT_EQ(*reinterpret_cast<int*>(there[1]), 4711);
  for (const Address at : {there[0], there[1], later}) unmap(at);
}

TEST(MapBelowTest, WhatWasFilledIsGivenBack) {
  mappings();
  const std::vector<Mapping> before = mappings();
  { const MapBelow below(kEnd); }
  const std::vector<Mapping> after = mappings();
  std::size_t unusable = 0;
  for (const Mapping& mapping : after) unusable += mapping.range.bytes >> 40 != 0 ? 1 : 0;
  for (const Mapping& mapping : before) unusable -= mapping.range.bytes >> 40 != 0 ? 1 : 0;
  EXPECT_EQ(unusable, 0u);
}

TEST(MapBelowTest, TheNextOneLiesBelowWhatIsThere) {
  Address first = 0, second = 0;
  {
    const MapBelow below(kEnd);
    first = map();
  }
  {
    const MapBelow below(kEnd);
    second = map();
  }
  EXPECT_EQ(second, first - kBytes);
  unmap(first);
  unmap(second);
}

}  // namespace
}  // namespace roam::os
