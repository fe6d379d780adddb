#include "runtime/checkpoint/piece_reader.h"

#include <sys/uio.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "isomalloc/arena.h"
#include "runtime/checkpoint/hash.h"

namespace roam::runtime {
namespace {

// Runs from here on are read into their place; shorter ones many at a time, through the window.
constexpr std::size_t kDirectBytes = 128 << 10;
constexpr std::size_t kMostBytes = 4 << 20;

}  // namespace

void PieceReader::close_files() {
  for (PieceSource& file : files_) file.close();
  frames_ = {};
  window_ = {};
  window_bytes_ = 0;
}

bool PieceReader::lacked() const {
  return frames_.lacked() || std::any_of(files_.begin(), files_.end(),
                                         [](const PieceSource& file) { return file.lacked(); });
}

bool PieceReader::refuse(std::uint64_t at, const std::string& what, std::string* why,
                         std::size_t file) const {
  if (!files_[file].compressed()) return files_[file].refuse(at, what, why);
  *why = text("%s, decompressed, at byte %llu: ", files_[file].path().c_str(),
              static_cast<unsigned long long>(at)) +
         what;
  return false;
}

bool PieceReader::read_at(std::size_t number, std::uint64_t offset, std::span<const iovec> parts,
                          std::string* why) {
  PieceSource& file = files_[number];
  return file.compressed() ? frames_.read(file, offset, parts, why) : file.read(offset, parts, why);
}

bool PieceReader::read_at(std::size_t number, std::uint64_t offset, char* to, std::size_t bytes,
                          std::string* why) {
  const iovec part{to, bytes};
  return read_at(number, offset, {&part, 1}, why);
}

bool PieceReader::check_hash(const PageRun& run, const void* bytes, std::string* why) const {
  const std::uint64_t hash = hash_of_pages(bytes, run.bytes);
  if (hash == run.hash) return true;
  return refuse(
      run.offset,
      text("the %u bytes of memory from 0x%llx have the checksum %016llx; when they were "
           "written it was %016llx",
           run.bytes, static_cast<unsigned long long>(run.begin),
           static_cast<unsigned long long>(hash), static_cast<unsigned long long>(run.hash)),
      why, run.file);
}

// ---- pages ----

bool PieceReader::read_runs(std::size_t first, std::size_t count, std::string* why) {
  const std::size_t end = first + count;
  for (std::size_t i = first; i < end;) {
    const PageRun& run = runs_[i];
    const Range pages{run.begin, run.bytes};
    if (run.bytes < kDirectBytes) {
      const char* bytes = in_window(i, why);
      if (bytes == nullptr) return false;
      iso::arena().reach(pages);
      std::memcpy(pages.pointer(), bytes, pages.bytes);
      ++i;
      continue;
    }
    std::size_t last = i;
    for (std::size_t bytes = 0;
         last < end && runs_[last].bytes >= kDirectBytes &&
         bytes + runs_[last].bytes <= kMostBytes && follows(runs_[last], run, bytes);
         ++last)
      bytes += runs_[last].bytes;
    if (!read_direct(i, last - i, why)) return false;
    i = last;
  }
  return true;
}

// Runs that lie one behind the other in the file.
bool PieceReader::read_direct(std::size_t first, std::size_t count, std::string* why) {
  std::vector<iovec> parts;
  for (std::size_t i = first; i < first + count; ++i) {
    const Range pages{runs_[i].begin, runs_[i].bytes};
    iso::arena().reach(pages);  // no handler mends the kernel's accesses
    parts.push_back({pages.pointer(), pages.bytes});
  }
  if (!read_at(runs_[first].file, runs_[first].offset, parts, why)) return false;
  for (std::size_t i = first; i < first + count; ++i) {
    if (!check_hash(runs_[i], reinterpret_cast<const void*>(runs_[i].begin), why)) return false;
  }
  return true;
}

// The bytes of a run, which are right; null: why not. Those of following ones are read too.
const char* PieceReader::in_window(std::size_t number, std::string* why) {
  const PageRun& run = runs_[number];
  if (run.file != window_file_ || run.offset < window_begin_ ||
      run.offset + run.bytes > window_begin_ + window_bytes_) {
    std::size_t bytes = run.bytes;
    for (std::size_t i = number + 1;
         i < runs_.size() && follows(runs_[i], run, bytes) && runs_[i].bytes < kDirectBytes &&
         bytes + runs_[i].bytes <= kMostBytes;
         ++i)
      bytes += runs_[i].bytes;
    window_.make(kMostBytes);
    window_bytes_ = 0;
    if (!read_at(run.file, run.offset, window_.data(), bytes, why)) return nullptr;
    window_file_ = run.file;
    window_begin_ = run.offset;
    window_bytes_ = bytes;
  }
  const char* at = window_.data() + (run.offset - window_begin_);
  return check_hash(run, at, why) ? at : nullptr;
}

bool PieceReader::copy(std::size_t i, Address from, void* to, std::size_t bytes, std::string* why) {
  char* at = static_cast<char*>(to);
  while (bytes != 0) {
    const ImageEntry& entry = images_[i];
    std::size_t number = entry.first;
    const std::size_t end = entry.first + entry.count;
    while (number < end && from - runs_[number].begin >= runs_[number].bytes) ++number;
    if (number == end) {
      *why = text("%s: image %zu has no memory at 0x%zx", files_[0].path().c_str(), i, from);
      return false;
    }
    const char* page = in_window(number, why);
    if (page == nullptr) return false;
    const std::size_t skipped = from - runs_[number].begin;
    const std::size_t part = std::min<std::size_t>(bytes, runs_[number].bytes - skipped);
    std::memcpy(at, page + skipped, part);
    at += part;
    from += part;
    bytes -= part;
  }
  return true;
}

bool PieceReader::verify(std::string* why) {
  window_.make(kMostBytes);
  window_bytes_ = 0;
  for (std::size_t i = 0; i < runs_.size();) {
    std::size_t end = i, bytes = 0;
    for (; end < runs_.size() && follows(runs_[end], runs_[i], bytes) &&
           bytes + runs_[end].bytes <= kMostBytes;
         ++end)
      bytes += runs_[end].bytes;
    const std::uint64_t begin = runs_[i].offset;
    if (!read_at(runs_[i].file, begin, window_.data(), bytes, why)) return false;
    for (; i < end; ++i) {
      if (!check_hash(runs_[i], window_.data() + (runs_[i].offset - begin), why)) return false;
    }
  }
  return true;
}

std::optional<std::string_view> PieceReader::state(std::string_view name) const {
  for (const auto& [its_name, bytes] : states_) {
    if (its_name == name) return bytes;
  }
  return std::nullopt;
}

}  // namespace roam::runtime
