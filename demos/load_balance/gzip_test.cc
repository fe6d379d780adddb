#include "demos/load_balance/gzip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

class GzipTest : public testing::TestWithParam<std::size_t> {
 protected:
  GzipTest() : path_(testing::TempDir() + "gzip_test.input"), bytes_(GetParam()) {
    std::mt19937 random(static_cast<unsigned>(bytes_.size()));
    for (unsigned char& byte : bytes_) {
      byte = static_cast<unsigned char>("etaoin shrdlu\n"[random() % 14]);
    }
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes_.data()),
               static_cast<std::streamsize>(bytes_.size()));
  }
  ~GzipTest() override { std::remove(path_.c_str()); }

  std::vector<unsigned char> compressed(const Piece& piece) const {
    constexpr std::size_t kChunkBytes = 1000;
    GzipStream stream(6);
    std::vector<unsigned char> out;
    std::uint64_t done = 0;
    while (done < piece.bytes) {
      std::vector<unsigned char> chunk(std::min<std::uint64_t>(kChunkBytes, piece.bytes - done));
      read_at(piece.path, piece.offset + done, chunk);
      done += chunk.size();
      stream.write(chunk, done == piece.bytes, out);
    }
    return out;
  }

  std::string path_;
  std::vector<unsigned char> bytes_;
};

TEST_P(GzipTest, GivesBackWhatWentIn) {
  const Piece whole{path_, 0, bytes_.size()};
  const Piece middle{path_, bytes_.size() / 3,
                     bytes_.size() - bytes_.size() / 3 - bytes_.size() / 5};
  EXPECT_EQ(check(compressed(whole), whole), "");
  EXPECT_EQ(check(compressed(middle), middle), "");
}

TEST_P(GzipTest, SeesEveryKindOfDamage) {
  const Piece piece{path_, 0, bytes_.size()};
  const std::vector<unsigned char> good = compressed(piece);
  EXPECT_NE(check(std::span(good).first(good.size() - 1), piece), "");
  EXPECT_NE(check({}, piece), "");

  std::vector<unsigned char> longer = good;
  longer.push_back(0);
  EXPECT_NE(check(longer, piece), "");

  // Any bit of the checksum and the length at the end.
  std::mt19937 random(1);
  for (int i = 0; i < 50; ++i) {
    std::vector<unsigned char> bad = good;
    bad[bad.size() - 1 - random() % 8] ^= static_cast<unsigned char>(1 << random() % 8);
    EXPECT_NE(check(bad, piece), "");
  }
  Piece other = piece;
  other.path = "/proc/self/exe";
  EXPECT_NE(check(good, other), "");
  Piece shorter = piece;
  --shorter.bytes;
  EXPECT_NE(check(good, shorter), "");
}

INSTANTIATE_TEST_SUITE_P(Sizes, GzipTest, testing::Values(1, 999, 1000, 16'384, 300'001));

TEST(Gzip, ReadNamesTheFileThatEndsEarly) {
  const std::string path = testing::TempDir() + "gzip_test.short";
  std::ofstream(path) << "four";
  std::vector<unsigned char> into(5);
  try {
    read_at(path, 0, into);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos);
  }
  std::remove(path.c_str());
}

}  // namespace
