// What a reader of a piece does when it opens it: all but the pages of memory is read and checked.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/os/file_calls.h"
#include "base/os/file_limit.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "runtime/checkpoint/hash.h"
#include "runtime/checkpoint/piece_reader.h"
#include "runtime/image/codec.h"

namespace roam::runtime {
namespace {

unsigned long long number(std::uint64_t n) { return n; }

}  // namespace

// Goes through the index; an ImageSource.
class PieceReader::Cursor {
 public:
  Cursor(const char* at, std::size_t bytes, std::uint64_t offset)
      : begin_(at), at_(at), end_(at + bytes), offset_(offset) {}

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool copy(void* to, std::size_t bytes) {
    if (bytes > left()) return false;
    if (bytes != 0) std::memcpy(to, at_, bytes);
    at_ += bytes;
    return true;
  }
  bool memory(Range) { return false; }
  template <class T>
  bool take(T* value) {
    return copy(value, sizeof *value);
  }
  // With what fills them up to a multiple of 8. False: so much is not left.
  bool take_bytes(std::uint64_t bytes, std::string_view* view) {
    if (bytes > left() || round_up(bytes, 8) > left()) return false;
    *view = {at_, static_cast<std::size_t>(bytes)};
    at_ += round_up(bytes, 8);
    return true;
  }
  std::uint64_t offset() const { return offset_ + static_cast<std::uint64_t>(at_ - begin_); }

 private:
  const char* begin_;
  const char* at_;
  const char* end_;
  std::uint64_t offset_;  // in the file
};

bool PieceReader::open(const std::string& path, const PieceSummary& expected, std::string* why,
                       bool of_others) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const auto in_folder = [&](const std::string& name) {
    return os::open_file(folder + name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  };
  return open(in_folder, path, expected, why, of_others);
}

bool PieceReader::open_file(const Opener& opened, const std::string& name, const std::string& path,
                            bool of_others, std::string* why) {
  PieceSource& file = files_.emplace_back();
  int fd = opened(name);
  if (fd < 0 && errno == EMFILE) {
    const bool more = os::allow_many_files();
    errno = EMFILE;
    if (more) fd = opened(name);
  }
  return file.open(fd, path, of_others, why);
}

bool PieceReader::open(const Opener& opened, const std::string& path, const PieceSummary& expected,
                       std::string* why, bool of_others) {
  if (!open_file(opened, expected.file, path, of_others, why) || !check_lengths(expected, why))
    return false;
  index_offset_ = expected.index_offset;
  return check_head_page(0, expected, why) && open_bases(opened, expected.bases, of_others, why) &&
         read_index(expected, why);
}

// What is allocated for the index is no more than the file has.
bool PieceReader::check_lengths(const PieceSummary& expected, std::string* why) {
  PieceSource& file = files_[0];
  if (!file.compressed() && file.file_bytes() == expected.stored &&
      expected.stored != expected.bytes)
    return file.refuse(0, "it does not begin as a compressed piece of a checkpoint does", why);
  const std::uint64_t wanted = file.compressed() ? expected.stored_bytes() : expected.bytes;
  if (file.file_bytes() != wanted) {
    return file.refuse(std::min(file.file_bytes(), wanted),
                       text("the file has %llu bytes; when it was written it had %llu",
                            number(file.file_bytes()), number(wanted)),
                       why);
  }
  const std::uint64_t bytes = expected.bytes;
  const std::uint64_t least = sizeof(PieceHead) + kPageBytes;
  if (bytes < least || bytes % kPageBytes != 0 || expected.index_offset % kPageBytes != 0 ||
      expected.index_offset < sizeof(PieceHead) || expected.index_offset >= bytes ||
      expected.index_bytes != bytes - expected.index_offset - sizeof(PieceTrailer)) {
    return refuse(0,
                  text("a file of %llu bytes cannot have an index of %llu bytes at %llu",
                       number(bytes), number(expected.index_bytes), number(expected.index_offset)),
                  why);
  }
  if (!file.compressed()) return true;
  if (!file.read_table(why)) return false;
  if (file.bytes() == bytes && file.table().index_offset() == expected.index_offset) return true;
  return file.refuse(
      file.file_bytes() - sizeof(CompressedTrailer),
      text("it has a piece of %llu bytes with its index at %llu; the manifest's has %llu, and %llu",
           number(file.bytes()), number(file.table().index_offset()), number(bytes),
           number(expected.index_offset)),
      why);
}

// The pages in them are checked as all are.
bool PieceReader::open_bases(const Opener& opened, const std::vector<BaseEntry>& bases,
                             bool of_others, std::string* why) {
  const std::string& path = files_[0].path();
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  for (const BaseEntry& base : bases) {
    const std::string name = base_name(base);
    if (!open_file(opened, name, folder + name, of_others, why)) return false;
    if (files_.back().compressed() && !files_.back().read_table(why)) return false;
    PieceSummary head;
    head.rank = static_cast<int>(base.rank);
    head.ranks = -1;  // as many as there were
    head.number = base.number;
    if (!check_head_page(files_.size() - 1, head, why)) return false;
  }
  return true;
}

bool PieceReader::check_head_page(std::size_t file, const PieceSummary& expected,
                                  std::string* why) {
  window_.make(sizeof(PieceHead));
  if (!read_at(file, 0, window_.data(), sizeof(PieceHead), why)) return false;
  PieceHead head;
  std::memcpy(&head, window_.data(), sizeof head);
  if (head.magic != PieceHead::kMagic)
    return refuse(0, "it does not begin as a piece of a checkpoint does", why, file);
  if (head.version != kPieceVersion) {
    return refuse(offsetof(PieceHead, version),
                  text("the piece has version %u; this program reads version %u", head.version,
                       kPieceVersion),
                  why, file);
  }
  if (head.hash != hash_of(&head, offsetof(PieceHead, hash)))
    return refuse(0, "the first page does not have its checksum", why, file);
  if (head.page_bytes != kPageBytes || head.rank != static_cast<std::uint32_t>(expected.rank) ||
      (expected.ranks >= 0 && head.ranks != static_cast<std::uint32_t>(expected.ranks)) ||
      head.number != expected.number) {
    return refuse(0,
                  text("it is of rank %u of %u and checkpoint %llu, with pages of %u bytes; here "
                       "that of rank %d of %d and checkpoint %llu belongs",
                       head.rank, head.ranks, number(head.number), head.page_bytes, expected.rank,
                       expected.ranks, number(expected.number)),
                  why, file);
  }
  return true;
}

bool PieceReader::read_index(const PieceSummary& expected, std::string* why) {
  const std::uint64_t bytes = expected.index_bytes;
  index_.make(bytes + sizeof(PieceTrailer));
  if (!read_at(0, index_offset_, index_.data(), bytes + sizeof(PieceTrailer), why)) return false;
  PieceTrailer trailer;
  std::memcpy(&trailer, index_.data() + bytes, sizeof trailer);
  const std::uint64_t at = index_offset_ + bytes;
  if (trailer.magic != PieceTrailer::kMagic ||
      trailer.hash != hash_of(&trailer, offsetof(PieceTrailer, hash)))
    return refuse(at, "the trailer does not have its checksum", why);
  if (trailer.index_offset != index_offset_ || trailer.index_bytes != bytes ||
      trailer.index_hash != expected.index_hash) {
    return refuse(
        at,
        text("the trailer is of an index of %llu bytes at %llu with checksum %016llx; the "
             "manifest's is of %llu bytes at %llu with %016llx",
             number(trailer.index_bytes), number(trailer.index_offset), number(trailer.index_hash),
             number(bytes), number(index_offset_), number(expected.index_hash)),
        why);
  }
  const std::uint64_t hash = hash_of(index_.data(), bytes);
  if (hash != expected.index_hash) {
    return refuse(index_offset_,
                  text("the index of %llu bytes has the checksum %016llx; when it was written it "
                       "was %016llx",
                       number(bytes), number(hash), number(expected.index_hash)),
                  why);
  }
  Cursor in(index_.data(), bytes, index_offset_);
  IndexHead head;
  if (!in.take(&head) || head.magic != IndexHead::kMagic || head.images != expected.images ||
      head.blocks != expected.blocks)
    return refuse(index_offset_, "it does not begin as the index of this piece does", why);
  std::vector<BaseEntry> bases(expected.bases.size());
  if (head.bases != bases.size() || !in.copy(bases.data(), bases.size() * sizeof(BaseEntry)) ||
      bases != expected.bases)
    return refuse(index_offset_, "the pieces that it builds on are not those of the manifest", why);
  if (!take_images(in, head.images, why) || !take_blocks(in, head.blocks, why) ||
      !take_states(in, head.states, why))
    return false;
  while (in.left() != 0) {
    char byte = 0;
    const std::uint64_t offset = in.offset();
    in.take(&byte);
    if (byte != 0) return refuse(offset, "the index has more than it should", why);
  }
  return covers_all_pages(why);
}

bool PieceReader::take_images(Cursor& in, std::uint64_t count, std::string* why) {
  std::vector<Range> pages;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = in.offset();
    ImageEntry& entry = images_.emplace_back();
    ImageRefusal refusal;
    if (!read_lists(in, &entry.head, &entry.image, &refusal))
      return refuse(at, text("image %llu: ", number(i)) + refusal.why, why);
    page_runs_of(entry.image.runs, &pages);
    entry.first = runs_.size();
    if (!take_runs(in, pages, why)) return false;
    entry.count = runs_.size() - entry.first;
  }
  return true;
}

bool PieceReader::take_blocks(Cursor& in, std::uint64_t count, std::string* why) {
  const Range region = iso::arena().region(iso::Region::kBlocks);
  for (std::uint64_t b = 0; b < count; ++b) {
    const std::uint64_t at = in.offset();
    BlockEntry entry;
    if (!in.copy(&entry, offsetof(BlockEntry, page_runs)))
      return refuse(at, text("block %llu is cut off", number(b)), why);
    const Range range{entry.begin, entry.range_bytes};
    if (!region.contains(range.begin) || range.bytes == 0 ||
        range.bytes > region.end() - range.begin ||
        (range.begin | range.bytes) % iso::kUnitBytes != 0 || entry.bytes > range.bytes) {
      return refuse(at,
                    text("block %llu, of 0x%zx bytes at 0x%zx for 0x%llx, is not whole units of "
                         "the arena's blocks",
                         number(b), range.bytes, range.begin, number(entry.bytes)),
                    why);
    }
    // Which pages exist, only the list says: it has them in order, inside of the range.
    std::uint64_t runs = 0;
    Cursor ahead = in;
    if (!ahead.take(&runs) || runs > ahead.left() / sizeof(PageRun))
      return refuse(in.offset(), text("the page runs of block %llu are cut off", number(b)), why);
    std::vector<Range> pages;
    Address from = range.begin;
    for (std::uint64_t r = 0; r < runs; ++r) {
      PageRun run;
      ahead.take(&run);
      if (run.begin < from || run.bytes == 0 || run.bytes > kMostPageRunBytes ||
          run.begin >= range.end() || run.bytes > range.end() - run.begin ||
          (run.begin | run.bytes) % kPageBytes != 0) {
        return refuse(ahead.offset() - sizeof run,
                      text("page run %llu of block %llu, 0x%x bytes at 0x%llx, has to be pages "
                           "between 0x%zx and 0x%zx",
                           number(r), number(b), run.bytes, number(run.begin), from, range.end()),
                      why);
      }
      from = run.begin + run.bytes;
      pages.push_back({run.begin, run.bytes});
    }
    blocks_.push_back({{range, entry.bytes}, runs_.size(), pages.size()});
    if (!take_runs(in, pages, why)) return false;
  }
  return true;
}

// Page runs for exactly `pages`, each in one or more.
bool PieceReader::take_runs(Cursor& in, const std::vector<Range>& pages, std::string* why) {
  const std::uint64_t at = in.offset();
  std::uint64_t count = 0;
  if (!in.take(&count) || count > in.left() / sizeof(PageRun))
    return refuse(at, text("%llu page runs are cut off", number(count)), why);
  std::size_t p = 0;
  Address from = pages.empty() ? 0 : pages[0].begin;
  for (; count != 0; --count) {
    PageRun run;
    const std::uint64_t its = in.offset();
    in.take(&run);
    if (p == pages.size())
      return refuse(its, text("%llu page runs are more than this memory has", number(count)), why);
    if (run.begin != from || run.bytes == 0 || run.bytes % kPageBytes != 0 ||
        run.bytes > pages[p].end() - from) {
      return refuse(
          its,
          text("the page run is 0x%x bytes at 0x%llx; it has to be pages from 0x%zx on, up "
               "to 0x%zx",
               run.bytes, number(run.begin), from, pages[p].end()),
          why);
    }
    if (run.file >= files_.size() || run.offset < sizeof(PieceHead) ||
        run.offset % kPageBytes != 0) {
      return refuse(its,
                    text("the page run is at byte %llu of file %u; the piece has %zu files",
                         number(run.offset), run.file, files_.size()),
                    why);
    }
    const std::uint64_t its_bytes = files_[run.file].bytes();
    if (run.bytes > its_bytes || run.offset > its_bytes - run.bytes) {
      return refuse(std::min(run.offset, its_bytes),
                    text("the file has %llu bytes; memory of 0x%x bytes belongs at byte %llu",
                         number(its_bytes), run.bytes, number(run.offset)),
                    why, run.file);
    }
    runs_.push_back(run);
    from += run.bytes;
    if (from == pages[p].end() && ++p < pages.size()) from = pages[p].begin;
  }
  return p == pages.size() ||
         refuse(at, text("the page runs end at 0x%zx; this memory has more", from), why);
}

bool PieceReader::take_states(Cursor& in, std::uint64_t count, std::string* why) {
  for (std::uint64_t s = 0; s < count; ++s) {
    const std::uint64_t at = in.offset();
    StateEntry entry;
    std::string_view name, bytes;
    if (!in.take(&entry) || !in.take_bytes(entry.name_bytes, &name) ||
        !in.take_bytes(entry.bytes, &bytes))
      return refuse(at, text("state %llu is cut off", number(s)), why);
    states_.emplace_back(name, bytes);
  }
  return true;
}

// Each page between head and index belongs to one page run, so that each has a checksum.
bool PieceReader::covers_all_pages(std::string* why) const {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (runs_[i].file == 0) order.push_back(i);
  }
  const auto earlier = [this](std::size_t a, std::size_t b) {
    return runs_[a].offset < runs_[b].offset;
  };
  if (!std::is_sorted(order.begin(), order.end(), earlier))
    std::sort(order.begin(), order.end(), earlier);
  std::uint64_t at = sizeof(PieceHead);
  for (const std::size_t i : order) {
    if (runs_[i].offset != at || runs_[i].bytes > index_offset_ - at)
      return refuse(at, "the index does not say what is here", why);
    at += runs_[i].bytes;
  }
  return at == index_offset_ || refuse(at, "the index does not say what is here", why);
}

}  // namespace roam::runtime
