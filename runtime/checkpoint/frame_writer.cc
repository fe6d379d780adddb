#include "runtime/checkpoint/frame_writer.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "runtime/checkpoint/direct_write.h"
#include "runtime/checkpoint/hash.h"

namespace roam::runtime {
namespace {

constexpr std::size_t kAtOnceBytes = 4 << 20;  // of one system call: it keeps a disk busy
constexpr std::size_t kLeastGain = 8;          // of the frame, at least such a part
constexpr int kLongestPause = 15;              // frames that are not tried

// Of what is written at once: each frame that is stored may have compressed ones before it.
std::size_t most_parts(std::size_t frame_bytes) { return 2 * (kAtOnceBytes / frame_bytes) + 3; }

CompressedHead head_with(std::uint32_t frame_bytes) {
  CompressedHead head{
      CompressedHead::kMagic, kCompressedVersion, kPageBytes, frame_bytes, 0, {}, 0};
  head.hash = hash_of(&head, offsetof(CompressedHead, hash));
  return head;
}

}  // namespace

FrameWriter::FrameWriter(int fd, bool direct, const Compression& how, std::uint64_t index_offset)
    : fd_(fd), direct_(direct), how_(how), index_offset_(index_offset) {
  const std::size_t frames = (index_offset + how.frame_bytes - 1) / how.frame_bytes;
  entries_.reserve(frames);
  parts_.reserve(most_parts(how.frame_bytes));
  table_.make(frames * sizeof(FrameEntry) + sizeof(CompressedTrailer));
  out_.make(kAtOnceBytes + how.frame_bytes + kPageBytes);
  if (!compressor_.make(how.level)) throw std::bad_alloc();
  const CompressedHead head = head_with(how.frame_bytes);
  std::memcpy(out_.data(), &head, sizeof head);
  filled_ = end_ = sizeof head;
}

std::size_t FrameWriter::try_to_compress(const char* from, std::size_t bytes) {
  if (passed_over_ != 0) {
    --passed_over_;
    return 0;
  }
  const std::size_t shorter =
      compressor_.compress(from, bytes, out_.data() + filled_, bytes - bytes / kLeastGain);
  pause_ = shorter != 0 ? 0 : std::min(2 * pause_ + 1, kLongestPause);
  passed_over_ = pause_;
  return shorter;
}

bool FrameWriter::add(const char* from, std::size_t bytes) {
  const std::size_t shorter = try_to_compress(from, bytes);
  if (shorter == 0) {
    entries_.push_back({static_cast<std::uint32_t>(bytes), FrameMethod::kStored, 0});
    return store(from, bytes);
  }
  entries_.push_back({static_cast<std::uint32_t>(shorter), FrameMethod::kZstd,
                      hash_of(out_.data() + filled_, shorter)});
  filled_ += shorter;
  end_ += shorter;
  waits_ += shorter;
  return waits_ < kAtOnceBytes || flush();
}

void FrameWriter::pad() {
  const std::size_t zeros = round_up(end_, kPageBytes) - end_;
  std::memset(out_.data() + filled_, 0, zeros);
  filled_ += zeros;
  end_ += zeros;
  if (filled_ != open_) parts_.push_back({out_.data() + open_, filled_ - open_});
  open_ = filled_;
}

bool FrameWriter::store(const char* from, std::size_t bytes) {
  pad();
  if (!parts_.empty() && static_cast<char*>(parts_.back().iov_base) + parts_.back().iov_len == from)
    parts_.back().iov_len += bytes;
  else
    parts_.push_back({const_cast<char*>(from), bytes});
  end_ += bytes;
  waits_ += bytes;
  return waits_ < kAtOnceBytes || flush();
}

// What is less than a page stays.
bool FrameWriter::flush() {
  const std::size_t whole = round_down(filled_ - open_, kPageBytes);
  if (whole != 0) parts_.push_back({out_.data() + open_, whole});
  if (!write_direct(fd_, parts_, &written_, &direct_)) return false;
  const std::size_t rest = filled_ - open_ - whole;
  std::memmove(out_.data(), out_.data() + open_ + whole, rest);
  open_ = 0;
  filled_ = waits_ = rest;
  return true;
}

bool FrameWriter::finish(std::uint64_t piece_bytes) {
  pad();
  const std::size_t raw = entries_.size() * sizeof(FrameEntry);
  const std::size_t all = round_up(raw + sizeof(CompressedTrailer), kPageBytes);
  char* table = table_.data();
  std::memset(table, 0, all);
  if (raw != 0) std::memcpy(table, entries_.data(), raw);
  CompressedTrailer trailer{CompressedTrailer::kMagic,
                            piece_bytes,
                            index_offset_,
                            entries_.size(),
                            end_,
                            all - sizeof(CompressedTrailer),
                            hash_of(table, all - sizeof(CompressedTrailer)),
                            0};
  trailer.hash = hash_of(&trailer, offsetof(CompressedTrailer, hash));
  std::memcpy(table + trailer.table_bytes, &trailer, sizeof trailer);
  return store(table, all) && flush();
}

}  // namespace roam::runtime
