#include "runtime/checkpoint/piece_writer.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/os/file_calls.h"
#include "base/os/memory.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "runtime/checkpoint/hash.h"
#include "runtime/image/codec.h"

namespace roam::runtime {
namespace {

// What one system call writes: the kernel takes so many parts, and so many bytes keep a disk busy.
constexpr std::size_t kMostParts = 1024;
constexpr std::size_t kMostBytes = 4 << 20;

void append(std::string* to, const void* data, std::size_t bytes) {
  to->append(static_cast<const char*>(data), bytes);
}
void append_number(std::string* to, std::uint64_t number) { append(to, &number, sizeof number); }
void append_padded(std::string* to, std::string_view bytes) {
  to->append(bytes);
  to->append(round_up(bytes.size(), 8) - bytes.size(), '\0');
}

struct ListSink {
  std::string* to;
  void copy(const void* from, std::size_t bytes) const { append(to, from, bytes); }
  void memory(Range) const {}
};

std::string file_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

PieceWriter::~PieceWriter() {
  if (fd_ < 0) return;
  os::close_file_of(fd_);
  os::remove_file(path_);
}

bool PieceWriter::fail(int error, const std::string& call) {
  error_ = text("%s: %s: %s", path_.c_str(), call.c_str(), std::strerror(error));
  if (fd_ < 0) return false;
  os::close_file_of(fd_);
  os::remove_file(path_);
  fd_ = -1;
  return false;
}

bool PieceWriter::usable() {
  if (fd_ < 0 && error_.empty()) error_ = path_ + ": the file is not open";
  return fd_ >= 0;
}

bool PieceWriter::open(const std::string& path, int rank, int ranks, std::uint64_t number) {
  path_ = path;
  summary_.file = file_of(path);
  summary_.rank = rank;
  summary_.ranks = ranks;
  summary_.number = number;
  fd_ = os::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd_ < 0) return fail(errno, "open");
  direct_ = os::set_direct(fd_, true) == 0;
  buffer_.make(sizeof(PieceHead));
  PieceHead head{PieceHead::kMagic,
                 kPieceVersion,
                 kPageBytes,
                 static_cast<std::uint32_t>(rank),
                 static_cast<std::uint32_t>(ranks),
                 number,
                 {},
                 0};
  head.hash = hash_of(&head, offsetof(PieceHead, hash));
  std::memcpy(buffer_.data(), &head, sizeof head);
  parts_.assign(1, {buffer_.data(), sizeof head});
  return write(parts_);
}

// Advances `offset_` by all of `parts`, which it uses up.
bool PieceWriter::write(std::vector<iovec>& parts) {
  std::size_t first = 0;
  while (first < parts.size()) {
    ssize_t done = os::write_parts(
        fd_, &parts[first], static_cast<int>(std::min(kMostParts, parts.size() - first)), offset_);
    if (done < 0 && errno == EINVAL && direct_) {
      // The file system asks for something else, or does it not at all.
      direct_ = false;
      os::set_direct(fd_, false);
      continue;
    }
    if (done <= 0) {
      const int error = done == 0 ? ENOSPC : errno;
      return fail(error, text("pwritev at byte %llu", static_cast<unsigned long long>(offset_)));
    }
    offset_ += static_cast<std::uint64_t>(done);
    for (auto left = static_cast<std::size_t>(done); left != 0;) {
      iovec& part = parts[first];
      const std::size_t taken = std::min(part.iov_len, left);
      part.iov_base = static_cast<char*>(part.iov_base) + taken;
      part.iov_len -= taken;
      left -= taken;
      if (part.iov_len == 0) ++first;
    }
    if (direct_ && offset_ % kPageBytes != 0) {  // what is left of the page is not whole
      direct_ = false;
      os::set_direct(fd_, false);
    }
  }
  parts.clear();
  return true;
}

// Page runs of `pages_`, whose offsets are known and whose hashes follow when they are written.
void PieceWriter::add_pages(std::string* to) {
  append_number(to, pages_.size());
  for (const Range& pages : pages_) {
    const PageRun run{pages.begin, static_cast<std::uint32_t>(pages.bytes), 0,
                      sizeof(PieceHead) + pages_bytes_, 0};
    pending_.push_back({pages, to, to->size() + offsetof(PageRun, hash)});
    append(to, &run, sizeof run);
    pages_bytes_ += pages.bytes;
    pending_bytes_ += pages.bytes;
  }
}

bool PieceWriter::add_image(const ImageHead& head, const Image& image) {
  if (!usable()) return false;
  ListSink sink{&images_};
  write_lists(head, image, sink);
  page_runs_of(image.runs, &pages_);
  add_pages(&images_);
  ++summary_.images;
  return flush(false);
}

bool PieceWriter::add_block(Range range, std::uint64_t bytes_asked) {
  if (!usable()) return false;
  iso::Arena& arena = iso::arena();
  std::vector<Range> present;
  os::for_each_present(range, arena.shared(), arena.fd(), arena.offset(range.begin),
                       [&](Range run) { present.push_back(run); });
  page_runs_of(present, &pages_);
  append_number(&blocks_, range.begin);
  append_number(&blocks_, range.bytes);
  append_number(&blocks_, bytes_asked);
  add_pages(&blocks_);
  ++summary_.blocks;
  return flush(false);
}

bool PieceWriter::add_state(std::string_view name, std::string_view bytes) {
  if (!usable()) return false;
  append_number(&states_, name.size());
  append_number(&states_, bytes.size());
  append_padded(&states_, name);
  append_padded(&states_, bytes);
  ++state_count_;
  return true;
}

// Writes what is pending: all of it, or while there is enough for a system call.
bool PieceWriter::flush(bool all) {
  std::size_t next = 0;
  while (next < pending_.size() &&
         (all || pending_bytes_ >= kMostBytes || pending_.size() - next >= kMostParts)) {
    std::size_t bytes = 0;
    parts_.clear();
    for (; next < pending_.size() && parts_.size() < kMostParts && bytes < kMostBytes; ++next) {
      const Pending& p = pending_[next];
      iso::arena().reach(p.pages);  // no handler mends the kernel's accesses
      const std::uint64_t hash = hash_of(p.pages.pointer(), p.pages.bytes);
      std::memcpy(p.index->data() + p.at, &hash, sizeof hash);
      parts_.push_back({p.pages.pointer(), p.pages.bytes});
      bytes += p.pages.bytes;
    }
    pending_bytes_ -= bytes;
    if (!write(parts_)) return false;
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(next));
  return true;
}

bool PieceWriter::finish(PieceSummary* summary) {
  if (!usable() || !flush(true)) return false;
  const IndexHead head{IndexHead::kMagic, summary_.images, summary_.blocks, state_count_};
  const std::size_t raw = sizeof head + images_.size() + blocks_.size() + states_.size();
  const std::size_t all = round_up(raw + sizeof(PieceTrailer), kPageBytes);
  buffer_.make(all);
  char* at = buffer_.data();
  const auto put = [&at](const void* data, std::size_t bytes) {
    if (bytes != 0) std::memcpy(at, data, bytes);
    at += bytes;
  };
  put(&head, sizeof head);
  for (const std::string* part : {&images_, &blocks_, &states_}) put(part->data(), part->size());
  std::memset(at, 0, all - raw);
  summary_.index_offset = offset_;
  summary_.index_bytes = all - sizeof(PieceTrailer);
  summary_.index_hash = hash_of(buffer_.data(), summary_.index_bytes);
  summary_.bytes = offset_ + all;
  PieceTrailer trailer{PieceTrailer::kMagic, summary_.index_offset, summary_.index_bytes,
                       summary_.index_hash, 0};
  trailer.hash = hash_of(&trailer, offsetof(PieceTrailer, hash));
  std::memcpy(buffer_.data() + summary_.index_bytes, &trailer, sizeof trailer);
  parts_.assign(1, {buffer_.data(), all});
  if (!write(parts_)) return false;
  if (os::sync_file(fd_) != 0) return fail(errno, "fsync");
  const int fd = fd_;
  fd_ = -1;
  if (os::close_file_of(fd) != 0) {
    fail(errno, "close");
    os::remove_file(path_);
    return false;
  }
  *summary = summary_;
  return true;
}

}  // namespace roam::runtime
