#include "runtime/checkpoint/frame_table.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "runtime/checkpoint/hash.h"

namespace roam::runtime {
namespace {

using Wrong = FrameTable::Wrong;

bool is(Wrong* wrong, std::uint64_t at, std::string what) {
  *wrong = {at, std::move(what)};
  return false;
}
unsigned long long number(std::uint64_t n) { return n; }

}  // namespace

bool FrameTable::begins(const char* page) {
  std::uint64_t magic = 0;
  std::memcpy(&magic, page, sizeof magic);
  return magic == CompressedHead::kMagic;
}

bool FrameTable::take_head(const char* page, Wrong* wrong) {
  CompressedHead head;
  std::memcpy(&head, page, sizeof head);
  if (head.magic != CompressedHead::kMagic) return is(wrong, 0, "it is no compressed file");
  if (head.version != kCompressedVersion) {
    return is(wrong, offsetof(CompressedHead, version),
              text("the compressed file has version %u; this program reads version %u",
                   head.version, kCompressedVersion));
  }
  if (head.hash != hash_of(&head, offsetof(CompressedHead, hash)))
    return is(wrong, 0, "the first page does not have its checksum");
  const std::uint32_t bytes = head.frame_bytes;
  if (head.page_bytes != kPageBytes || bytes < kPageBytes || bytes > kMostFrameBytes ||
      (bytes & (bytes - 1)) != 0) {
    return is(wrong, offsetof(CompressedHead, page_bytes),
              text("pages of %u bytes and frames of %u; it has to be pages of %zu, and frames of a "
                   "power of two up to %u",
                   head.page_bytes, bytes, kPageBytes, kMostFrameBytes));
  }
  frame_bytes_ = bytes;
  return true;
}

// Whatever it claims, there is room for it in the file.
bool FrameTable::take_trailer(const char* trailer, std::uint64_t file_bytes, Wrong* wrong) {
  CompressedTrailer& t = trailer_;
  std::memcpy(&t, trailer, sizeof t);
  const std::uint64_t at = file_bytes - sizeof t;
  if (t.magic != CompressedTrailer::kMagic ||
      t.hash != hash_of(&t, offsetof(CompressedTrailer, hash)))
    return is(wrong, at, "the trailer of the compressed file does not have its checksum");
  if (t.table_offset % kPageBytes != 0 || t.table_offset < sizeof(CompressedHead) ||
      t.table_offset >= at || t.table_bytes != at - t.table_offset) {
    return is(wrong, at,
              text("a file of %llu bytes cannot have a table of %llu bytes at %llu",
                   number(file_bytes), number(t.table_bytes), number(t.table_offset)));
  }
  if (t.bytes % kPageBytes != 0 || t.index_offset % kPageBytes != 0 ||
      t.index_offset < kPageBytes || t.index_offset >= t.bytes ||
      t.bytes - t.index_offset > t.table_offset - sizeof(CompressedHead)) {
    return is(wrong, at,
              text("a file of %llu bytes cannot have a piece of %llu bytes with its index at %llu",
                   number(file_bytes), number(t.bytes), number(t.index_offset)));
  }
  if (t.frames != (t.index_offset - 1) / frame_bytes_ + 1 ||
      t.frames > t.table_bytes / sizeof(FrameEntry)) {
    return is(wrong, at,
              text("a table of %llu bytes cannot have %llu frames of %llu bytes",
                   number(t.table_bytes), number(t.frames), number(t.index_offset)));
  }
  return true;
}

std::size_t FrameTable::length(std::size_t n) const {
  return static_cast<std::size_t>(std::min<std::uint64_t>(
      frame_bytes_, trailer_.index_offset - n * std::uint64_t{frame_bytes_}));
}

bool FrameTable::take_table(const char* table, Wrong* wrong) {
  const CompressedTrailer& t = trailer_;
  const std::uint64_t hash = hash_of(table, t.table_bytes);
  if (hash != t.table_hash) {
    return is(wrong, t.table_offset,
              text("the table of %llu bytes has the checksum %016llx; when it was written it was "
                   "%016llx",
                   number(t.table_bytes), number(hash), number(t.table_hash)));
  }
  const auto entry_at = [&t](std::size_t n) { return t.table_offset + n * sizeof(FrameEntry); };
  frames_.reserve(t.frames);
  std::uint64_t at = sizeof(CompressedHead);
  for (std::size_t n = 0; n < t.frames; ++n) {
    FrameEntry entry;
    std::memcpy(&entry, table + n * sizeof entry, sizeof entry);
    const bool stored = entry.method == FrameMethod::kStored;
    if (!stored && entry.method != FrameMethod::kZstd) {
      return is(wrong, entry_at(n),
                text("frame %zu is written by method %u, which this program does not know", n,
                     static_cast<unsigned>(entry.method)));
    }
    if (stored ? entry.bytes != length(n) || entry.hash != 0
               : entry.bytes == 0 || entry.bytes >= length(n)) {
      return is(wrong, entry_at(n),
                text("frame %zu cannot have %u bytes in the file for %zu of the piece", n,
                     entry.bytes, length(n)));
    }
    if (stored) at = round_up(at, kPageBytes);
    frames_.push_back({at, entry.bytes, entry.method, entry.hash});
    at += entry.bytes;
    if (at > t.table_offset)
      return is(wrong, entry_at(n),
                text("frame %zu ends at byte %llu, in the table", n, number(at)));
  }
  index_at_ = round_up(at, kPageBytes);
  if (index_at_ + (t.bytes - t.index_offset) != t.table_offset) {
    return is(wrong, t.table_offset,
              text("an index of %llu bytes at byte %llu does not end where the table begins",
                   number(t.bytes - t.index_offset), number(index_at_)));
  }
  const char* end = table + t.table_bytes;
  const char* other =
      std::find_if(table + t.frames * sizeof(FrameEntry), end, [](char byte) { return byte != 0; });
  return other == end || is(wrong, t.table_offset + static_cast<std::uint64_t>(other - table),
                            "the table has more than it should");
}

}  // namespace roam::runtime
