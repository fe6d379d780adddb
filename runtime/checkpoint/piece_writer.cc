#include "runtime/checkpoint/piece_writer.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/os/copy_pages.h"
#include "base/os/file_calls.h"
#include "base/os/memory.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "runtime/checkpoint/direct_write.h"
#include "runtime/checkpoint/hash.h"
#include "runtime/image/codec.h"

namespace roam::runtime {
namespace {

// Of what is written at once, at most kMostParts: so many bytes keep a disk busy.
constexpr std::size_t kMostBytes = 4 << 20;
static_assert(kMostBytes >= kMostPageRunBytes);

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
std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

// The first bytes of an object in memory.
class ReadMapping {
 public:
  ~ReadMapping() {
    if (data_ != MAP_FAILED) munmap(data_, bytes_);
  }
  bool make(int fd, std::size_t bytes) {
    bytes_ = bytes;
    data_ = mmap(nullptr, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    return data_ != MAP_FAILED;
  }
  const char* data() const { return static_cast<const char*>(data_); }

 private:
  void* data_ = MAP_FAILED;
  std::size_t bytes_ = 0;
};

PieceHead head_of_piece(const PieceSummary& summary) {
  PieceHead head{PieceHead::kMagic,
                 kPieceVersion,
                 kPageBytes,
                 static_cast<std::uint32_t>(summary.rank),
                 static_cast<std::uint32_t>(summary.ranks),
                 summary.number,
                 {},
                 0};
  head.hash = hash_of(&head, offsetof(PieceHead, hash));
  return head;
}

}  // namespace

void PieceWriter::give_up() {
  if (fd_ >= 0 && !in_memory_) {
    os::close_file_of(fd_);
    os::remove_file(path_);
  }
  fd_ = -1;
}

bool PieceWriter::fail(int error, const std::string& call) {
  error_ = text("%s%s: %s: %s", path_.c_str(), in_memory_ ? " (its copy in memory)" : "",
                call.c_str(), std::strerror(error));
  give_up();
  return false;
}

bool PieceWriter::usable() {
  if (path_.empty() && error_.empty()) error_ = "a piece was not begun";
  return error_.empty();
}

void PieceWriter::begin(const std::string& path, int rank, int ranks, std::uint64_t number) {
  path_ = path;
  summary_.file = file_of(path);
  summary_.rank = rank;
  summary_.ranks = ranks;
  summary_.number = number;
}

void PieceWriter::put_into(int fd, const Aside::Mapped& memory, Grown grown) {
  fd_ = fd;
  in_memory_ = true;
  memory_ = memory;
  grown_ = std::move(grown);
}

PieceWriter::Linker PieceWriter::links_of_files(const KnownPages& known) const {
  return [from_folder = known.folder + "/", to_folder = folder_of(path_)](const std::string& from,
                                                                          const std::string& to) {
    return os::link_file(from_folder + from, to_folder + to) == 0;
  };
}

void PieceWriter::build_on(const KnownPages& known, const std::vector<Range>* clean, Linker link) {
  if (!usable() || known.number == 0) return;
  own_.runs.reserve(known.runs.size());
  own_.hashes.reserve(known.hashes.size());
  known_ = &known;
  clean_ = clean;
  link_ = std::move(link);
  files_.assign(known.bases.size() + 1, kNotAsked);
}

// The number of the file that has these pages, which is a base from now on; 0: it cannot be one.
std::uint32_t PieceWriter::base_of(const KnownPages::Run& run) {
  std::uint32_t& number = files_[run.file];
  if (number != kNotAsked) return number;
  const bool is_last = run.file == 0;
  const BaseEntry base =
      is_last ? BaseEntry{known_->number, known_->rank, 0} : known_->bases[run.file - 1];
  const std::string name = base_name(base);
  number = 0;
  if (!link_(is_last ? piece_name(static_cast<int>(base.rank)) : name, name)) return number;
  summary_.bases.push_back(base);
  return number = static_cast<std::uint32_t>(summary_.bases.size());
}

// Advances `offset_` by all of `parts`, which it uses up.
bool PieceWriter::write(std::vector<iovec>& parts) {
  if (!write_direct(fd_, parts, &offset_, &direct_))
    return fail(errno, text("pwritev at byte %llu", static_cast<unsigned long long>(offset_)));
  tell_growth();
  return true;
}

// ---- what belongs to it ----

// Of what has been added to `lists_`.
void PieceWriter::add_ranges(std::string* index, const std::vector<Range>& ranges) {
  page_runs_of(ranges, &pages_);
  ranges_.insert(ranges_.end(), pages_.begin(), pages_.end());
  added_.push_back({index, lists_.size(), ranges_.size()});
}

bool PieceWriter::arrange() {
  if (!usable()) return false;
  std::size_t text = 0, range = 0;
  for (const Added& one : added_) {
    one.index->append(lists_, text, one.text_end - text);
    add_pages(std::span(ranges_).subspan(range, one.ranges_end - range), one.index);
    text = one.text_end;
    range = one.ranges_end;
  }
  added_.clear();
  lists_.clear();
  ranges_.clear();
  return true;
}

// Page runs, whose offsets are known and whose hashes follow when they are written.
void PieceWriter::add_pages(std::span<const Range> ranges, std::string* to) {
  const std::size_t count_at = to->size();
  append_number(to, 0);
  for (const Range& pages : ranges) {
    all_bytes_ += pages.bytes;
    Address at = pages.begin;
    while (at < pages.end()) {
      const Range left{at, pages.end() - at};
      const KnownPages::Run* run = nullptr;
      Range same = left;
      if (known_ == nullptr) {
        run = nullptr;
      } else if (clean_ != nullptr) {
        run = known_->first_in(left, *clean_, &same);
      } else if (same.bytes = same_bytes(left, &run); run == nullptr) {
        add_run({at, same.bytes}, to);  // others, up to the next of which that is not known
        at += same.bytes;
        continue;
      }
      if (run == nullptr) {
        add_run(left, to);
        break;
      }
      if (same.begin > at) add_run({at, same.begin - at}, to);
      add_known(*run, same, to);
      at = same.end();
    }
  }
  const std::uint64_t count = (to->size() - count_at) / sizeof(PageRun);
  std::memcpy(to->data() + count_at, &count, sizeof count);
}

// How many bytes from the begin of `pages` have the checksums that they are known by, in one run;
// or have not, and `run` is null.
std::size_t PieceWriter::same_bytes(Range pages, const KnownPages::Run** run) const {
  std::size_t bytes = 0;
  for (Address at = pages.begin; at < pages.end(); at += kPageBytes, bytes += kPageBytes) {
    const KnownPages::Run* found = known_->run_at(at);
    if (found != nullptr) {
      iso::arena().reach({at, kPageBytes});
      std::uint64_t now = 0;
      hash_pages(reinterpret_cast<const void*>(at), kPageBytes, &now);
      if (now != known_->hashes[found->hashes + (at - found->pages.begin) / kPageBytes])
        found = nullptr;
    }
    if (bytes == 0) *run = found;
    if (found != *run) break;
  }
  return bytes;
}

void PieceWriter::add_run(Range pages, std::string* to) {
  const PageRun run{pages.begin, static_cast<std::uint32_t>(pages.bytes), 0,
                    sizeof(PieceHead) + pages_bytes_, 0};
  pending_.push_back({pages, to, to->size() + offsetof(PageRun, hash), own_.hashes.size()});
  own_.runs.push_back({pages, 0, run.offset, own_.hashes.size()});
  own_.hashes.resize(own_.hashes.size() + pages.bytes / kPageBytes);
  append(to, &run, sizeof run);
  pages_bytes_ += pages.bytes;
}

void PieceWriter::add_known(const KnownPages::Run& known, Range part, std::string* to) {
  const std::uint32_t file = base_of(known);
  if (file == 0) return add_run(part, to);
  const std::size_t skipped = part.begin - known.pages.begin;
  const std::uint64_t* hashes = &known_->hashes[known.hashes + skipped / kPageBytes];
  const PageRun run{part.begin, static_cast<std::uint32_t>(part.bytes), file,
                    known.offset + skipped, hash_of_pages(hashes, part.bytes)};
  own_.runs.push_back({part, file, run.offset, own_.hashes.size()});
  own_.hashes.insert(own_.hashes.end(), hashes, hashes + part.bytes / kPageBytes);
  append(to, &run, sizeof run);
}

bool PieceWriter::add_image(const ImageHead& head, const Image& image) {
  if (!usable()) return false;
  ListSink sink{&lists_};
  write_lists(head, image, sink);
  add_ranges(&images_, image.runs);
  ++summary_.images;
  return true;
}

bool PieceWriter::add_block(Range range, std::uint64_t bytes_asked,
                            const std::vector<Range>* mapped) {
  if (!usable()) return false;
  std::vector<Range> present;
  for_each_present(range, mapped, [&](Range run) { present.push_back(run); });
  append_number(&lists_, range.begin);
  append_number(&lists_, range.bytes);
  append_number(&lists_, bytes_asked);
  add_ranges(&blocks_, present);
  ++summary_.blocks;
  return true;
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

// ---- its bytes ----

void PieceWriter::hash(const Pending& p, const void* bytes) {
  std::uint64_t* each = &own_.hashes[p.hashes];
  hash_pages(bytes, p.pages.bytes, each);
  const std::uint64_t all = hash_of_pages(each, p.pages.bytes);
  std::memcpy(p.index->data() + p.at, &all, sizeof all);
}

bool PieceWriter::copy_head() {
  buffer_.make(sizeof(PieceHead));
  const PieceHead head = head_of_piece(summary_);
  std::memcpy(buffer_.data(), &head, sizeof head);
  parts_.assign(1, {buffer_.data(), sizeof head});
  return write(parts_);
}

// Into memory that is mapped and exists, which takes a third of the time. False: there is none, or
// it ends here.
bool PieceWriter::copy_mapped(Range pages) {
  if (offset_ + pages.bytes > memory_.exists) return false;
  iso::arena().reach(pages);
  os::copy_pages(memory_.memory + offset_, pages.pointer(), pages.bytes);
  offset_ += pages.bytes;
  tell_growth();
  return true;
}

// Not of each page: somebody wakes up for it.
void PieceWriter::tell_growth() {
  if (grown_ == nullptr || offset_ - told_ < kMostBytes) return;
  told_ = offset_;
  grown_(offset_);
}

bool PieceWriter::copy() {
  if (!arrange()) return false;
  if (!in_memory_) {
    fd_ = os::open_file(path_, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd_ < 0) return fail(errno, "open");
    direct_ = os::set_direct(fd_, true) == 0;
  }
  if (!copy_head()) return false;
  std::size_t next = 0;
  while (next < pending_.size() && copy_mapped(pending_[next].pages)) ++next;
  while (next < pending_.size()) {
    if (in_memory_)
      gather_memory(&next);
    else
      gather_copies(&next);
    if (!write(parts_)) return false;
  }
  return true;
}

// Of a piece in memory, whose checksums will be those of the copy.
void PieceWriter::gather_memory(std::size_t* next) {
  std::size_t bytes = 0;
  for (; *next < pending_.size() && parts_.size() < kMostParts && bytes < kMostBytes; ++*next) {
    const Range pages = pending_[*next].pages;
    iso::arena().reach(pages);  // no handler mends the kernel's accesses
    parts_.push_back({pages.pointer(), pages.bytes});
    bytes += pages.bytes;
  }
}

// Of a file. Kernel threads of the program may write into memory of threads while they stand still:
// what goes to disk is what the checksum was computed of.
void PieceWriter::gather_copies(std::size_t* next) {
  buffer_.make(kMostBytes);
  std::size_t bytes = 0;
  for (; *next < pending_.size() && bytes + pending_[*next].pages.bytes <= kMostBytes; ++*next) {
    const Pending& p = pending_[*next];
    iso::arena().reach(p.pages);
    std::memcpy(buffer_.data() + bytes, p.pages.pointer(), p.pages.bytes);
    hash(p, buffer_.data() + bytes);
    bytes += p.pages.bytes;
  }
  parts_.assign(1, {buffer_.data(), bytes});
}

// Of a piece in memory, whose pages follow one another there.
bool PieceWriter::hash_copied() {
  ReadMapping mapping;
  const char* copied = memory_.memory;
  if (memory_.bytes < offset_) {
    if (!mapping.make(fd_, offset_)) return fail(errno, "mmap");
    copied = mapping.data();
  }
  for (const Pending& p : pending_) {
    std::uint64_t at = 0;
    std::memcpy(&at, p.index->data() + p.at - offsetof(PageRun, hash) + offsetof(PageRun, offset),
                sizeof at);
    hash(p, copied + at);
  }
  return true;
}

bool PieceWriter::finish(PieceSummary* summary, KnownPages* pages) {
  if (!usable() || (in_memory_ && !hash_copied())) return false;
  const IndexHead head{IndexHead::kMagic, summary_.images, summary_.blocks, state_count_,
                       summary_.bases.size()};
  const std::size_t raw = sizeof head + summary_.bases.size() * sizeof(BaseEntry) + images_.size() +
                          blocks_.size() + states_.size();
  const std::size_t all = round_up(raw + sizeof(PieceTrailer), kPageBytes);
  buffer_.make(all);
  char* at = buffer_.data();
  const auto put = [&at](const void* data, std::size_t bytes) {
    if (bytes != 0) std::memcpy(at, data, bytes);
    at += bytes;
  };
  put(&head, sizeof head);
  put(summary_.bases.data(), summary_.bases.size() * sizeof(BaseEntry));
  for (const std::string* part : {&images_, &blocks_, &states_}) put(part->data(), part->size());
  std::memset(at, 0, all - raw);
  summary_.index_offset = offset_;
  summary_.index_bytes = all - sizeof(PieceTrailer);
  summary_.index_hash = hash_of(buffer_.data(), summary_.index_bytes);
  summary_.bytes = offset_ + all;
  if (known_ != nullptr && known_->compressed) summary_.stored = summary_.bytes;
  PieceTrailer trailer{PieceTrailer::kMagic, summary_.index_offset, summary_.index_bytes,
                       summary_.index_hash, 0};
  trailer.hash = hash_of(&trailer, offsetof(PieceTrailer, hash));
  std::memcpy(buffer_.data() + summary_.index_bytes, &trailer, sizeof trailer);
  parts_.assign(1, {buffer_.data(), all});
  if (!write(parts_)) return false;
  const int fd = std::exchange(fd_, -1);
  if (!in_memory_) {
    const bool synced = os::sync_file(fd) == 0;
    const int error = errno;
    if (os::close_file_of(fd) != 0 || !synced) {
      const int close_error = errno;
      os::remove_file(path_);
      return fail(synced ? close_error : error, synced ? "close" : "fsync");
    }
  }
  *summary = summary_;
  if (pages == nullptr) return true;
  own_.number = summary_.number;
  own_.rank = static_cast<std::uint32_t>(summary_.rank);
  own_.bases = summary_.bases;
  own_.compressed = summary_.stored != 0;
  own_.sort();
  *pages = std::move(own_);
  return true;
}

}  // namespace roam::runtime
