#include "runtime/checkpoint/frame_reader.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "runtime/checkpoint/hash.h"

namespace roam::runtime {
namespace {

// Of a file that is read at once, with the pages in which a frame begins and ends.
constexpr std::size_t kWindowBytes = kMostFrameBytes + 2 * kPageBytes;

bool stored(const FrameTable& table, std::size_t n) {
  return table.frame(n).method == FrameMethod::kStored;
}

}  // namespace

bool FrameReader::read(PieceSource& file, std::uint64_t offset, std::span<const iovec> parts,
                       std::string* why) {
  std::uint64_t end = offset;
  for (const iovec& part : parts) end += part.iov_len;
  if (end > file.bytes() || end < offset)
    return file.refuse(file.file_bytes(), "the piece in the compressed file ends before", why);
  for (const iovec& part : parts) {
    char* to = static_cast<char*>(part.iov_base);
    for (std::size_t left = part.iov_len; left != 0;) {
      const std::size_t done = read_some(file, offset, to, left, end, why);
      if (done == 0) return false;
      offset += done;
      to += done;
      left -= done;
    }
  }
  return true;
}

std::size_t FrameReader::read_some(PieceSource& file, std::uint64_t offset, char* to,
                                   std::size_t left, std::uint64_t end, std::string* why) {
  const FrameTable& table = file.table();
  if (offset >= table.index_offset()) {
    const std::uint64_t at = table.index_at() + (offset - table.index_offset());
    return file.read(at, to, left, why) ? left : 0;
  }
  auto n = static_cast<std::size_t>(offset / table.frame_bytes());
  const auto skipped = static_cast<std::size_t>(offset % table.frame_bytes());
  std::size_t bytes = std::min(left, table.length(n) - skipped);
  if (stored(table, n)) {
    const std::uint64_t at = table.frame(n).offset + skipped;
    // Those that are stored behind it follow it in the file.
    for (; bytes < left && ++n < table.count() && stored(table, n);)
      bytes += std::min(left - bytes, table.length(n));
    return file.read(at, to, bytes, why) ? bytes : 0;
  }
  if (skipped == 0 && bytes == table.length(n) && find(file, n) == nullptr)
    return decompress(file, n, to, end, why) ? bytes : 0;
  const char* from = frame(file, n, end, why);
  if (from == nullptr) return 0;
  std::memcpy(to, from + skipped, bytes);
  return bytes;
}

FrameReader::Slot* FrameReader::find(const PieceSource& file, std::size_t n) {
  const auto found = std::find_if(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.file == &file && slot.frame == n;
  });
  return found != slots_.end() ? &*found : nullptr;
}

const char* FrameReader::frame(PieceSource& file, std::size_t n, std::uint64_t end,
                               std::string* why) {
  Slot* slot = find(file, n);
  if (slot == nullptr) {
    slot = &*std::min_element(slots_.begin(), slots_.end(),
                              [](const Slot& a, const Slot& b) { return a.used < b.used; });
    slot->frame = kNone;
    slot->bytes.make(file.table().frame_bytes());
    if (!decompress(file, n, slot->bytes.data(), end, why)) return nullptr;
    slot->file = &file;
    slot->frame = n;
  }
  slot->used = ++uses_;
  return slot->bytes.data();
}

bool FrameReader::decompress(PieceSource& file, std::size_t n, char* to, std::uint64_t end,
                             std::string* why) {
  const FrameTable::Frame& frame = file.table().frame(n);
  const char* from = in_window(file, n, end, why);
  if (from == nullptr) return false;
  const std::uint64_t hash = hash_of(from, frame.bytes);
  if (hash != frame.hash) {
    return file.refuse(
        frame.offset,
        text("the %u bytes of frame %zu have the checksum %016llx; when they were written it was "
             "%016llx",
             frame.bytes, n, static_cast<unsigned long long>(hash),
             static_cast<unsigned long long>(frame.hash)),
        why);
  }
  const char* behind = from + frame.bytes;
  const char* next = from + (file.table().end(n) - frame.offset);
  const char* other = std::find_if(behind, next, [](char byte) { return byte != 0; });
  if (other != next) {
    return file.refuse(frame.offset + static_cast<std::uint64_t>(other - from),
                       text("there have to be zeros behind frame %zu", n), why);
  }
  const std::size_t bytes = file.table().length(n);
  const char* error = decompressor_.decompress(from, frame.bytes, to, bytes);
  return error == nullptr ||
         file.refuse(frame.offset, text("frame %zu has to become %zu bytes: %s", n, bytes, error),
                     why);
}

// Whole pages are read, up to where the next frame begins, and with them those of the frames that
// will be wanted after it.
const char* FrameReader::in_window(PieceSource& file, std::size_t n, std::uint64_t end,
                                   std::string* why) {
  const FrameTable& table = file.table();
  const auto page_behind = [&](std::size_t frame) {
    return round_up(table.frame(frame).offset + table.frame(frame).bytes, kPageBytes);
  };
  const std::uint64_t begin = round_down(table.frame(n).offset, kPageBytes);
  std::uint64_t behind = page_behind(n);
  if (window_file_ != &file || begin < window_begin_ || behind > window_begin_ + window_bytes_) {
    for (std::size_t next = n + 1;
         next < table.count() && next * std::uint64_t{table.frame_bytes()} < end &&
         !stored(table, next) && page_behind(next) - begin <= kWindowBytes;
         ++next)
      behind = page_behind(next);
    window_.make(kWindowBytes);
    window_bytes_ = 0;
    if (!file.read(begin, window_.data(), behind - begin, why)) return nullptr;
    window_file_ = &file;
    window_begin_ = begin;
    window_bytes_ = behind - begin;
  }
  return window_.data() + (table.frame(n).offset - window_begin_);
}

}  // namespace roam::runtime
