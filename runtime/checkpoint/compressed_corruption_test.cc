// Each byte of a compressed piece is flipped, its file is cut, and what it says of itself is wrong
// though it has its checksums: all of it is refused by name, and nothing is allocated for it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zstd.h>

#include <cstddef>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "runtime/checkpoint/hash.h"
#include "runtime/checkpoint/test_job.h"

namespace roam::runtime {
namespace {

// A sanitizer takes address space as it likes.
#if defined(ROAM_ASAN) || defined(ROAM_TSAN)
constexpr bool kLimitsMemory = false;
#else
constexpr bool kLimitsMemory = true;
#endif

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void put(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
}
void pad(std::string* bytes) { bytes->resize(round_up(bytes->size(), kPageBytes)); }

// A compressed file in parts, of which another one can be made.
struct Parts {
  explicit Parts(const std::string& file) {
    FrameTable::Wrong wrong;
    EXPECT_TRUE(table.take_head(file.data(), &wrong)) << wrong.what;
    const char* trailer_at = file.data() + file.size() - sizeof trailer;
    EXPECT_TRUE(table.take_trailer(trailer_at, file.size(), &wrong)) << wrong.what;
    EXPECT_TRUE(table.take_table(file.data() + table.table_offset(), &wrong)) << wrong.what;
    std::memcpy(&head, file.data(), sizeof head);
    std::memcpy(&trailer, trailer_at, sizeof trailer);
    for (std::size_t n = 0; n < table.count(); ++n) {
      const FrameTable::Frame& frame = table.frame(n);
      frames.push_back(file.substr(frame.offset, frame.bytes));
      entries.push_back({frame.bytes, frame.method, frame.hash});
    }
    index = file.substr(table.index_at(), table.bytes() - table.index_offset());
  }
  // Frame n with other bytes in the file, and their checksum.
  void replace(std::size_t n, const std::string& bytes) {
    frames[n] = bytes;
    entries[n].bytes = static_cast<std::uint32_t>(bytes.size());
    entries[n].hash = hash_of(bytes.data(), bytes.size());
  }
  // All checksums are right; `last` may change the trailer before it gets its own.
  std::string file(std::function<void(CompressedTrailer&)> last = nullptr) {
    head.hash = hash_of(&head, offsetof(CompressedHead, hash));
    std::string all(reinterpret_cast<const char*>(&head), sizeof head);
    for (std::size_t n = 0; n < frames.size(); ++n) {
      if (entries[n].method == FrameMethod::kStored) pad(&all);
      all += frames[n];
    }
    pad(&all);
    all += index;
    std::string rows(reinterpret_cast<const char*>(entries.data()),
                     entries.size() * sizeof(FrameEntry));
    rows.resize(round_up(rows.size() + sizeof trailer, kPageBytes) - sizeof trailer);
    CompressedTrailer t = trailer;
    t.table_offset = all.size();
    t.table_bytes = rows.size();
    t.table_hash = hash_of(rows.data(), rows.size());
    if (last) last(t);
    t.hash = hash_of(&t, offsetof(CompressedTrailer, hash));
    return all + rows + std::string(reinterpret_cast<const char*>(&t), sizeof t);
  }
  std::size_t first(FrameMethod method) const {
    std::size_t n = 0;
    while (n < entries.size() && entries[n].method != method) ++n;
    EXPECT_LT(n, entries.size());
    return n;
  }
  // What frame n is in the piece.
  std::string decompressed(std::size_t n) const {
    std::string bytes(table.length(n), '\0');
    EXPECT_EQ(ZSTD_decompress(bytes.data(), bytes.size(), frames[n].data(), frames[n].size()),
              bytes.size());
    return bytes;
  }

  FrameTable table;
  CompressedHead head;
  CompressedTrailer trailer;
  std::vector<FrameEntry> entries;
  std::vector<std::string> frames;
  std::string index;
};

std::string compressed(const std::string& bytes) {
  std::string to(ZSTD_compressBound(bytes.size()), '\0');
  to.resize(ZSTD_compress(to.data(), to.size(), bytes.data(), bytes.size(), 3));
  return to;
}

class CompressedCorruptionTest : public testing::Test {
 protected:
  CompressedCorruptionTest() { job_.compression = {.level = 1, .frame_bytes = kPageBytes}; }
  // Runs `body` with a piece that is right, and has frames of both kinds.
  void with_piece(std::function<void()> body) {
    job_.while_suspended([&] {
      ASSERT_TRUE(job_.write_piece(path_, 7, &summary_, &why_)) << why_;
      bytes_ = contents_of(path_);
      ASSERT_EQ(summary_.stored, bytes_.size());
      ASSERT_TRUE(good()) << why_;
      body();
    });
  }
  bool good() {
    PieceReader reader;
    why_.clear();
    return reader.open(path_, summary_, &why_) && reader.verify(&why_);
  }
  bool good(const std::string& bytes) {
    put(path_, bytes);
    summary_.stored = bytes.size();
    return good();
  }
  // The place that the refusal names, in the file or in the piece; -1: none.
  long long named(const char* how = " at byte ") const {
    const std::string before = path_ + how;
    return why_.starts_with(before) ? std::atoll(why_.c_str() + before.size()) : -1;
  }
  long long named_in_piece() const { return named(", decompressed, at byte "); }
  void expect_refused(const std::string& bytes, const std::string& what) {
    EXPECT_FALSE(good(bytes)) << what;
    EXPECT_GE(named(), 0) << why_;
    EXPECT_NE(why_.find(what), std::string::npos) << why_ << "; not: " << what;
  }

  TestJob job_{true};
  std::string path_ = job_.top() + "/piece-0";
  PieceSummary summary_;
  std::string bytes_, why_;
};

TEST_F(CompressedCorruptionTest, EachByteCounts) {
  with_piece([&] {
    const Parts parts(bytes_);
    const FrameTable& table = parts.table;
    ASSERT_GT(parts.first(FrameMethod::kStored), 0u);
    std::uint64_t random = test_seed();
    const int fd = open(path_.c_str(), O_RDWR);
    std::size_t n = 0;
    for (std::size_t at = 0; at < bytes_.size() && !HasFailure(); ++at) {
      SCOPED_TRACE(testing::Message() << "byte " << at);
      const char wrong = static_cast<char>(bytes_[at] ^ 1 << next_random(&random) % 8);
      ASSERT_EQ(pwrite(fd, &wrong, 1, static_cast<off_t>(at)), 1);
      ASSERT_FALSE(good());
      while (n + 1 < table.count() && table.frame(n + 1).offset <= at) ++n;
      const FrameTable::Frame& frame = table.frame(n);
      const auto place = static_cast<long long>(at);
      if (at < kPageBytes) {
        EXPECT_GE(named(), 0) << why_;
        EXPECT_LT(named(), static_cast<long long>(kPageBytes)) << why_;
      } else if (at < table.index_at() && frame.method == FrameMethod::kStored) {
        EXPECT_GE(named_in_piece(), 0) << why_;
        EXPECT_LT(named_in_piece(), static_cast<long long>(table.index_offset())) << why_;
      } else if (at < table.index_at() && at < frame.offset + frame.bytes) {
        EXPECT_EQ(named(), static_cast<long long>(frame.offset)) << why_;
      } else if (at < table.index_at()) {
        EXPECT_EQ(named(), place) << why_;
        EXPECT_NE(why_.find("there have to be zeros"), std::string::npos) << why_;
      } else if (at < table.table_offset() - sizeof(PieceTrailer)) {
        EXPECT_EQ(named_in_piece(), static_cast<long long>(table.index_offset())) << why_;
      } else if (at < table.table_offset()) {
        EXPECT_EQ(named_in_piece(),
                  static_cast<long long>(summary_.index_offset + summary_.index_bytes))
            << why_;
      } else if (at < table.table_offset() + table.table_bytes()) {
        EXPECT_EQ(named(), static_cast<long long>(table.table_offset())) << why_;
      } else {
        EXPECT_EQ(named(), static_cast<long long>(bytes_.size() - sizeof(CompressedTrailer)));
      }
      ASSERT_EQ(pwrite(fd, &bytes_[at], 1, static_cast<off_t>(at)), 1);
    }
    close(fd);
    EXPECT_TRUE(good()) << why_;
  });
}

TEST_F(CompressedCorruptionTest, AFileThatIsCutOrHasMoreIsRefused) {
  with_piece([&] {
    for (std::size_t bytes = 0; bytes < bytes_.size(); bytes += 512) {
      ASSERT_EQ(truncate(path_.c_str(), static_cast<off_t>(bytes)), 0);
      ASSERT_FALSE(good()) << bytes;
      EXPECT_EQ(named(), static_cast<long long>(bytes)) << why_;
      put(path_, bytes_);
    }
    // And one that is whole pages, as a base is opened, of which nobody knows the length.
    for (std::size_t bytes = 0; bytes < bytes_.size(); bytes += 512) {
      EXPECT_FALSE(good(bytes_.substr(0, bytes)));
      EXPECT_GE(named(), 0) << why_;
    }
    summary_.stored = bytes_.size();
    put(path_, bytes_ + std::string(kPageBytes, '\0'));
    EXPECT_FALSE(good());
    put(path_, bytes_);
    EXPECT_TRUE(good()) << why_;
  });
}

TEST_F(CompressedCorruptionTest, AnotherPieceThanTheManifestsIsRefused) {
  with_piece([&] {
    const PieceSummary right = summary_;
    for (const auto change :
         {+[](PieceSummary& s) { s.bytes += kPageBytes, s.index_bytes += kPageBytes; },
          +[](PieceSummary& s) { s.index_offset += kPageBytes, s.index_bytes -= kPageBytes; },
          +[](PieceSummary& s) { s.stored += kPageBytes; }, +[](PieceSummary& s) { ++s.number; },
          +[](PieceSummary& s) {
            s.bytes = std::uint64_t{1} << 50;
            s.index_bytes = s.bytes - s.index_offset - sizeof(PieceTrailer);
          }}) {
      change(summary_);
      EXPECT_FALSE(good());
      EXPECT_TRUE(named() >= 0 || named_in_piece() >= 0) << why_;
      summary_ = right;
    }
    EXPECT_TRUE(good()) << why_;
  });
}

TEST_F(CompressedCorruptionTest, AFrameThatBecomesSomethingElseIsRefused) {
  with_piece([&] {
    const Parts right(bytes_);
    EXPECT_TRUE(good(Parts(right).file())) << why_;
    const std::size_t n = right.first(FrameMethod::kZstd);
    const std::string was = right.decompressed(n);
    const auto with = [&](const std::string& frame) {
      Parts parts(right);
      parts.replace(n, frame);
      return parts.file();
    };
    EXPECT_TRUE(good(with(compressed(was)))) << why_;
    const std::string what = "frame " + std::to_string(n) + " has to become 4096 bytes";
    expect_refused(with(compressed(was.substr(0, 4000))), what);
    expect_refused(with(compressed(was + "x")), what);
    expect_refused(with(compressed(was + was)), what);
    expect_refused(with(std::string(100, '\0')), what);
    expect_refused(with(was.substr(0, 100)), what);
    const std::string frame = right.frames[n];
    for (std::size_t bytes = 1; bytes < frame.size(); bytes += 7)
      expect_refused(with(frame.substr(0, bytes)), what);
    expect_refused(with(frame + "x"), what);
    // It says that it has 2^60 bytes, or a window of 2^31.
    expect_refused(with(std::string("\x28\xb5\x2f\xfd\xe0\0\0\0\0\0\0\0\x10\x01\0\0", 16)), what);
    expect_refused(with(std::string("\x28\xb5\x2f\xfd\0\xa8\x01\0\0", 9)), what);
    // Other bytes of the right length: the piece's checksum is wrong.
    std::string other = was;
    other[200] = static_cast<char>(other[200] ^ 1);
    EXPECT_FALSE(good(with(compressed(other))));
    EXPECT_GE(named_in_piece(), 0) << why_;
    // Each bit of a frame that has its checksum: zstd says no, or the piece does.
    std::uint64_t random = test_seed();
    for (std::size_t at = 0; at < frame.size(); ++at) {
      std::string wrong = frame;
      wrong[at] = static_cast<char>(wrong[at] ^ 1 << next_random(&random) % 8);
      if (good(with(wrong))) continue;  // a bit that says nothing
      EXPECT_TRUE(named() >= 0 || named_in_piece() >= 0) << why_;
    }
  });
}

TEST_F(CompressedCorruptionTest, ATableThatIsWrongIsRefusedThoughItHasItsChecksum) {
  with_piece([&] {
    const Parts right(bytes_);
    const std::size_t zstd = right.first(FrameMethod::kZstd);
    const std::size_t stored = right.first(FrameMethod::kStored);
    // Frames stay where they are.
    const auto with = [&](const std::vector<FrameEntry>& entries, std::size_t more = 0) {
      std::string file = bytes_;
      char* table = file.data() + right.table.table_offset();
      std::memcpy(table, entries.data(), entries.size() * sizeof(FrameEntry));
      if (more != 0) table[more] = 1;
      CompressedTrailer t = right.trailer;
      t.table_hash = hash_of(table, t.table_bytes);
      t.hash = hash_of(&t, offsetof(CompressedTrailer, hash));
      std::memcpy(file.data() + file.size() - sizeof t, &t, sizeof t);
      return file;
    };
    EXPECT_TRUE(good(with(right.entries))) << why_;
    const auto refused = [&](const std::string& what, std::size_t n,
                             const std::function<void(FrameEntry&)>& change) {
      std::vector<FrameEntry> entries = right.entries;
      change(entries[n]);
      expect_refused(with(entries), what);
    };
    const auto method = [](std::uint32_t m) {
      return [m](FrameEntry& e) { e.method = static_cast<FrameMethod>(m); };
    };
    const auto bytes = [](std::uint32_t b) { return [b](FrameEntry& e) { e.bytes = b; }; };
    refused("is written by method 2, which this program does not know", zstd, method(2));
    refused("is written by method 4294967295", zstd, method(UINT32_MAX));
    refused("cannot have", zstd, method(0));
    refused("cannot have", stored, method(1));
    for (const std::uint32_t b : {0u, 4096u, 4097u, UINT32_MAX})
      refused("cannot have", zstd, bytes(b));
    for (const std::uint32_t b : {0u, 1u, 4095u, 8192u, UINT32_MAX})
      refused("cannot have", stored, bytes(b));
    refused("cannot have", stored, [](FrameEntry& e) { e.hash = 1; });
    refused("have the checksum", zstd, [](FrameEntry& e) { ++e.hash; });
    refused("does not end where the table begins", zstd, bytes(4095));
    // All are long: they end in the table.
    std::vector<FrameEntry> entries = right.entries;
    for (FrameEntry& e : entries) {
      if (e.method == FrameMethod::kZstd) e.bytes = 4095;
    }
    expect_refused(with(entries), "the table");
    expect_refused(with(right.entries, right.table.table_bytes() - 1), "more than it should");
    expect_refused(with(right.entries, entries.size() * sizeof(FrameEntry)), "more than it should");
  });
}

TEST_F(CompressedCorruptionTest, WhatItClaimsIsRefusedBeforeThereIsMemoryForIt) {
  with_piece([&] {
    const Parts right(bytes_);
    // So much more than there is now, and a claim fails that is believed.
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
    if (kLimitsMemory) {
      std::size_t pages = 0;
      std::ifstream("/proc/self/statm") >> pages;
      const rlimit limit{pages * kPageBytes + (256 << 20), before.rlim_max};
      ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    }
    using Trailer = CompressedTrailer;
    for (const std::uint64_t claim :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4096}, std::uint64_t{4097},
          std::uint64_t{1} << 32, std::uint64_t{1} << 40, std::uint64_t{1} << 60, UINT64_MAX - 4095,
          UINT64_MAX}) {
      for (std::uint64_t Trailer::*field :
           {&Trailer::bytes, &Trailer::index_offset, &Trailer::frames, &Trailer::table_offset,
            &Trailer::table_bytes}) {
        SCOPED_TRACE(claim);
        EXPECT_FALSE(good(Parts(right).file([&](Trailer& t) { t.*field = claim; }))) << claim;
        EXPECT_GE(named(), 0) << why_;
      }
      // Several that agree with each other, and the manifest's too.
      const std::string file = Parts(right).file([&](Trailer& t) {
        t.index_offset = claim / kPageBytes * kPageBytes;
        t.bytes = t.index_offset + right.index.size();
        t.frames = (t.index_offset + kPageBytes - 1) / kPageBytes;
      });
      const PieceSummary was = summary_;
      summary_.index_offset = claim / kPageBytes * kPageBytes;
      summary_.bytes = summary_.index_offset + right.index.size();
      EXPECT_FALSE(good(file)) << claim;
      EXPECT_TRUE(named() >= 0 || named_in_piece() >= 0) << why_;
      summary_ = was;
    }
    ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  });
}

TEST_F(CompressedCorruptionTest, AHeadThatIsWrongIsRefusedThoughItHasItsChecksum) {
  with_piece([&] {
    const Parts right(bytes_);
    const auto refused = [&](const std::string& what, auto change) {
      Parts parts(right);
      change(parts.head);
      expect_refused(parts.file(), what);
    };
    refused("has version 2; this program reads version 1",
            [](CompressedHead& head) { head.version = 2; });
    refused("has version 0", [](CompressedHead& head) { head.version = 0; });
    refused("pages of 8192 bytes", [](CompressedHead& head) { head.page_bytes = 8192; });
    for (const std::uint32_t bytes : {0u, 1u, 2048u, 12288u, 2u << 20, 1u << 31, UINT32_MAX})
      refused("and frames of", [&](CompressedHead& head) { head.frame_bytes = bytes; });
    refused("cannot have", [](CompressedHead& head) { head.frame_bytes = 8192; });
  });
}

}  // namespace
}  // namespace roam::runtime
