#include "base/text.h"

#include <gtest/gtest.h>

#include <climits>
#include <string>

namespace roam {
namespace {

unsigned long long parsed(const std::string& s) {
  unsigned long long bytes = 77;
  EXPECT_TRUE(parse_bytes(s, &bytes)) << '"' << s << '"';
  return bytes;
}

void expect_refused(const std::string& s) {
  unsigned long long bytes = 77;
  EXPECT_FALSE(parse_bytes(s, &bytes)) << '"' << s << "\" gave " << bytes;
  EXPECT_EQ(bytes, 77u) << "a refused text changes nothing";
}

TEST(Text, FormatsTextOfAnyLength) {
  EXPECT_EQ(text("%d %s", 7, "x"), "7 x");
  EXPECT_EQ(text("%s", ""), "");
  const std::string longer(100'000, 'y');
  EXPECT_EQ(text("<%s>", longer.c_str()), "<" + longer + ">");
}

TEST(ParseBytes, ReadsDecimalAndHexadecimalWithEachSuffix) {
  EXPECT_EQ(parsed("0"), 0u);
  EXPECT_EQ(parsed("1"), 1u);
  EXPECT_EQ(parsed("4096"), 4096u);
  EXPECT_EQ(parsed("0x10"), 16u);
  EXPECT_EQ(parsed("0x200000000000"), 0x200000000000u);
  EXPECT_EQ(parsed("3K"), 3ull << 10);
  EXPECT_EQ(parsed("3k"), 3ull << 10);
  EXPECT_EQ(parsed("3M"), 3ull << 20);
  EXPECT_EQ(parsed("3m"), 3ull << 20);
  EXPECT_EQ(parsed("3G"), 3ull << 30);
  EXPECT_EQ(parsed("48T"), 48ull << 40);
  EXPECT_EQ(parsed("0x10G"), 16ull << 30);
  EXPECT_EQ(parsed("0K"), 0u);
}

TEST(ParseBytes, TakesALeadingZeroForDecimal) {
  EXPECT_EQ(parsed("010"), 10u);
  EXPECT_EQ(parsed("08"), 8u);
  EXPECT_EQ(parsed("0064M"), 64ull << 20);
}

TEST(ParseBytes, ReadsUpToTheGreatestAndRefusesWhatIsMore) {
  EXPECT_EQ(parsed("9223372036854775807"), static_cast<unsigned long long>(LLONG_MAX));
  EXPECT_EQ(parsed("8388607T"), 8388607ull << 40);
  expect_refused("9223372036854775808");
  expect_refused("8388608T");
  expect_refused("18446744073709551616");
  expect_refused("0xffffffffffffffff");
  expect_refused("99999999999999999999999999");
}

TEST(ParseBytes, RefusesWhatIsNoNumber) {
  for (const char* s : {"", "K", "x", "-1", "+1", " 1", "0x", "0xg", "1.5G", "1,000", "1KB", "1KiB",
                        "1E", "1P", "1K ", "one"}) {
    expect_refused(s);
  }
}

TEST(ParseBytes, RefusesABlankOrAnEndOfStringAfterTheNumber) {
  expect_refused("1 ");
  expect_refused("1 K");
  expect_refused("1\t");
  expect_refused(std::string("1\0", 2));
  expect_refused(std::string("1\0K", 3));
  expect_refused(std::string("1K\0", 3));
}

TEST(BytesText, IsShortAndNamesTheUnit) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1 KiB");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(48ull << 40), "48 TiB");
  EXPECT_EQ(bytes_text(ULLONG_MAX), "16 EiB");
}

}  // namespace
}  // namespace roam
