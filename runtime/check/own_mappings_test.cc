#include "runtime/check/own_mappings.h"

#include <gtest/gtest.h>

namespace roam::runtime {
namespace {

os::Mapping mapping(Address begin, Address end, const char* name = "", bool writable = true) {
  return {Range{begin, end - begin}, writable, false, name};
}
Range range(Address begin, Address end) { return {begin, end - begin}; }

using Ranges = std::vector<Range>;

TEST(OwnMappings, WhatWasMappedMeanwhileIsTakenOutOfAMappingThatGrewOnBothSides) {
  OwnMappings own;
  own.add_new({}, {});
  EXPECT_EQ(own.rest_of(range(0x1000, 0x9000)), Ranges{range(0x1000, 0x9000)});
  own.add_new({mapping(0x3000, 0x5000)}, {mapping(0x2000, 0x7000)});
  EXPECT_EQ(own.rest_of(range(0x1000, 0x9000)),
            (Ranges{range(0x1000, 0x2000), range(0x3000, 0x5000), range(0x7000, 0x9000)}));
  EXPECT_EQ(own.rest_of(range(0x5000, 0x7000)), Ranges{});
  EXPECT_EQ(own.rest_of(range(0x4000, 0x6000)), Ranges{range(0x4000, 0x5000)});
}

TEST(OwnMappings, HeapStackAndConstantsAreNot) {
  OwnMappings own;
  own.add_new({}, {mapping(0x1000, 0x2000, "[heap]"), mapping(0x2000, 0x3000, "[stack]"),
                   mapping(0x3000, 0x4000, "/lib/a", false), mapping(0x4000, 0x5000, "/shm/b")});
  EXPECT_EQ(own.rest_of(range(0x1000, 0x6000)),
            (Ranges{range(0x1000, 0x4000), range(0x5000, 0x6000)}));
}

TEST(OwnMappings, WhatIsUnmappedAndMappedAgainIsAnybodys) {
  OwnMappings own;
  own.add_new({}, {mapping(0x1000, 0x5000)});
  own.add_new({}, {mapping(0x1000, 0x6000)});  // once in the list
  own.forget_unmapped({mapping(0x1000, 0x2000), mapping(0x4000, 0x9000)});
  EXPECT_EQ(own.rest_of(range(0x1000, 0x9000)),
            (Ranges{range(0x2000, 0x4000), range(0x6000, 0x9000)}));
}

}  // namespace
}  // namespace roam::runtime
