// Each byte of a checkpoint is flipped, and its files are cut: all of it is refused by name.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "runtime/checkpoint/hash.h"
#include "runtime/checkpoint/test_job.h"

namespace roam::runtime {
namespace {

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void put(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
}
void put_byte(int fd, std::size_t at, char byte) {
  ASSERT_EQ(pwrite(fd, &byte, 1, static_cast<off_t>(at)), 1);
}

class CorruptionTest : public testing::Test {
 protected:
  // Runs `body` with a piece, which is right.
  void with_piece(std::function<void()> body) {
    job_.while_suspended([&] {
      ASSERT_TRUE(job_.write_piece(path_, 7, &summary_, &why_)) << why_;
      bytes_ = contents_of(path_);
      ASSERT_TRUE(good()) << why_;
      body();
    });
  }
  bool good() {
    PieceReader reader;
    why_.clear();
    return reader.open(path_, summary_, &why_) && reader.verify(&why_);
  }
  // The place that the refusal names; -1: none.
  long long named() const {
    const std::string before = path_ + " at byte ";
    if (!why_.starts_with(before)) return -1;
    return std::atoll(why_.c_str() + before.size());
  }

  // The manifest `right` with something else for `from`, and its checksum.
  void expect_refused(const std::string& right, const std::string& from, const std::string& to) {
    std::string json = right.substr(0, right.rfind("xxh3"));
    const std::size_t at = json.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    json.replace(at, from.size(), to);
    char line[32];
    std::snprintf(line, sizeof line, "xxh3 %016llx\n",
                  static_cast<unsigned long long>(hash_of(json.data(), json.size())));
    Manifest wrong;
    EXPECT_FALSE(wrong.parse("there", json + line, &why_)) << to;
    EXPECT_TRUE(why_.starts_with("there/manifest")) << why_;
  }

  TestJob job_{true};
  std::string path_ = job_.top() + "/piece-0";
  PieceSummary summary_;
  std::string bytes_, why_;
};

TEST_F(CorruptionTest, EachByteOfAPieceCounts) {
  with_piece([&] {
    const std::size_t index = summary_.index_offset, trailer = index + summary_.index_bytes;
    ASSERT_GE(index, 6 * kPageBytes);
    std::uint64_t random = test_seed();
    const int fd = open(path_.c_str(), O_RDWR);
    for (std::size_t at = 0; at < bytes_.size() && !HasFailure(); ++at) {
      SCOPED_TRACE(testing::Message() << "byte " << at);
      put_byte(fd, at, static_cast<char>(bytes_[at] ^ 1 << next_random(&random) % 8));
      ASSERT_FALSE(good());
      ASSERT_GE(named(), 0) << why_;
      const auto place = static_cast<std::size_t>(named());
      if (at < kPageBytes) {
        EXPECT_LT(place, kPageBytes) << why_;
      } else if (at < index) {
        EXPECT_LE(place, at) << why_;
        EXPECT_GE(place, kPageBytes);
        EXPECT_LT(place, index);
        EXPECT_NE(why_.find("memory from 0x"), std::string::npos) << why_;
      } else if (at < trailer) {
        EXPECT_EQ(place, index) << why_;
      } else {
        EXPECT_EQ(place, trailer) << why_;
      }
      put_byte(fd, at, bytes_[at]);
    }
    close(fd);
    EXPECT_TRUE(good()) << why_;
  });
}

TEST_F(CorruptionTest, APieceThatIsCutOrHasMoreIsRefused) {
  with_piece([&] {
    for (std::size_t bytes = 0; bytes < bytes_.size(); bytes += 512) {
      ASSERT_EQ(truncate(path_.c_str(), static_cast<off_t>(bytes)), 0);
      ASSERT_FALSE(good()) << bytes;
      EXPECT_EQ(named(), static_cast<long long>(bytes)) << why_;
      put(path_, bytes_);
    }
    put(path_, bytes_ + std::string(kPageBytes, '\0'));
    EXPECT_FALSE(good());
    put(path_, bytes_);
    EXPECT_TRUE(good()) << why_;
    ASSERT_EQ(unlink(path_.c_str()), 0);
    EXPECT_FALSE(good());
    EXPECT_NE(why_.find(path_), std::string::npos) << why_;
  });
}

TEST_F(CorruptionTest, APieceOfAnotherPlaceIsRefused) {
  with_piece([&] {
    const PieceSummary right = summary_;
    for (const auto change :
         {+[](PieceSummary& s) { ++s.number; }, +[](PieceSummary& s) { ++s.rank; },
          +[](PieceSummary& s) { ++s.ranks; }, +[](PieceSummary& s) { ++s.images; },
          +[](PieceSummary& s) { ++s.blocks; }, +[](PieceSummary& s) { ++s.index_hash; },
          +[](PieceSummary& s) { s.index_offset = kPageBytes; },
          +[](PieceSummary& s) { s.index_offset = UINT64_MAX - 4095; },
          +[](PieceSummary& s) { s.index_bytes = 0; }, +[](PieceSummary& s) { s.bytes = 0; }}) {
      change(summary_);
      EXPECT_FALSE(good());
      EXPECT_NE(why_.find(path_), std::string::npos) << why_;
      summary_ = right;
    }
    ASSERT_EQ(rename(path_.c_str(), (path_ + "x").c_str()), 0);
    ASSERT_EQ(symlink((path_ + "x").c_str(), path_.c_str()), 0);
    EXPECT_FALSE(good()) << "a link may lead anywhere";
  });
}

// As a program with an error would write it, or somebody who knows the format.
TEST_F(CorruptionTest, AnIndexThatIsWrongIsRefusedThoughItHasItsChecksum) {
  with_piece([&] {
    const PieceSummary right = summary_;
    std::uint64_t random = test_seed();
    int refused = 0;
    for (int round = 0; round < 2000; ++round) {
      SCOPED_TRACE(testing::Message() << "round " << round);
      std::string bytes = bytes_;
      char* index = bytes.data() + right.index_offset;
      // Up to the padding, mostly; a bit, a byte, or a number.
      const std::size_t at = next_random(&random) % 700;
      switch (next_random(&random) % 3) {
        case 0:
          index[at] = static_cast<char>(index[at] ^ 1 << next_random(&random) % 8);
          break;
        case 1:
          index[at] = static_cast<char>(next_random(&random));
          break;
        default: {
          const std::uint64_t extremes[] = {0, UINT64_MAX, UINT64_MAX / 2, next_random(&random),
                                            std::uint64_t{1} << 32};
          std::memcpy(index + at / 8 * 8, &extremes[next_random(&random) % 5], 8);
        }
      }
      if (bytes == bytes_) continue;
      PieceTrailer trailer;
      std::memcpy(&trailer, index + right.index_bytes, sizeof trailer);
      trailer.index_hash = summary_.index_hash = hash_of(index, right.index_bytes);
      trailer.hash = hash_of(&trailer, offsetof(PieceTrailer, hash));
      std::memcpy(index + right.index_bytes, &trailer, sizeof trailer);
      put(path_, bytes);
      if (good()) continue;  // a bit of a name, or of how long it sleeps
      ++refused;
      EXPECT_GE(named(), 0) << why_;
    }
    EXPECT_GT(refused, 1200);
  });
}

TEST_F(CorruptionTest, EachByteOfAManifestCounts) {
  job_.while_suspended([&] {
    ASSERT_TRUE(job_.make_checkpoint(&why_)) << why_;
    const std::string folder = complete_ones(job_.dir(), &why_).front();
    const std::string path = folder + "/manifest";
    const std::string right = contents_of(path);
    std::uint64_t random = test_seed();
    Manifest manifest;
    for (std::size_t at = 0; at < right.size(); ++at) {
      std::string wrong = right;
      wrong[at] = static_cast<char>(wrong[at] ^ 1 << next_random(&random) % 8);
      ASSERT_FALSE(manifest.parse(folder, wrong, &why_)) << at;
      EXPECT_NE(why_.find(path), std::string::npos) << why_;
      ASSERT_FALSE(manifest.parse(folder, right.substr(0, at), &why_)) << at;
    }
    put(path, right.substr(0, 100));
    EXPECT_FALSE(manifest.read(folder, &why_));
    EXPECT_NE(why_.find(path), std::string::npos) << why_;
    put(path, right);
    EXPECT_TRUE(manifest.read(folder, &why_)) << why_;
  });
}

// JSON that has its checksum, and is no manifest.
TEST_F(CorruptionTest, AManifestThatIsWrongIsRefusedThoughItHasItsChecksum) {
  job_.while_suspended([&] {
    ASSERT_TRUE(job_.make_checkpoint(&why_)) << why_;
    Manifest manifest;
    ASSERT_TRUE(manifest.read(complete_ones(job_.dir(), &why_).front(), &why_)) << why_;
    const std::string right = manifest.text();
    const auto refused = [&](const std::string& from, const std::string& to) {
      expect_refused(right, from, to);
    };
    refused("\"version\": 2", "\"version\": 3");  // which has more of each piece
    refused("\"version\": 2", "\"version\": 4");
    refused("\"version\": 2", "\"version\": 1");
    refused("\"ranks\": 1", "\"ranks\": 0");
    refused("\"ranks\": 1", "\"ranks\": 2");
    refused("\"ranks\": 1", "\"ranks\": -1");
    refused("\"ranks\": 1", "\"ranks\": \"1\"");
    refused("\"ranks\"", "\"rank\"");
    refused("piece-0", "../piece-0");
    refused("piece-0", "");
    refused("\"data\": {", "\"data\": {\"x\": \"0\",");
    refused("\"data\": {", "\"data\": {\"x\": \"0g\",");
    refused("\"layout\": [", "\"layout\": [1,");
    refused("roam-checkpoint", "other");
    refused("{", std::string(100'000, '['));
  });
}

TEST_F(CorruptionTest, AManifestOfCompressedPiecesThatIsWrongIsRefused) {
  job_.compression = {.level = 1};
  job_.while_suspended([&] {
    ASSERT_TRUE(job_.make_checkpoint(&why_)) << why_;
    Manifest manifest;
    ASSERT_TRUE(manifest.read(complete_ones(job_.dir(), &why_).front(), &why_)) << why_;
    EXPECT_TRUE(manifest.compressed());
    const std::string right = manifest.text();
    const std::string stored = "\"stored\": " + std::to_string(manifest.pieces[0].stored);
    expect_refused(right, "\"version\": 3", "\"version\": 4");
    expect_refused(right, stored, "\"stored\": 0");
    expect_refused(right, stored, "\"stored\": -1");
    expect_refused(right, stored, "\"stored\": \"8192\"");
    expect_refused(right, "\"stored\"", "\"stored_\"");
  });
}

}  // namespace
}  // namespace roam::runtime
