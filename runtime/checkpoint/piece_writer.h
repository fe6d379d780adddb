#ifndef ROAM_RUNTIME_CHECKPOINT_PIECE_WRITER_H_
#define ROAM_RUNTIME_CHECKPOINT_PIECE_WRITER_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/range.h"
#include "runtime/checkpoint/aside.h"
#include "runtime/checkpoint/known_pages.h"
#include "runtime/checkpoint/page_buffer.h"
#include "runtime/checkpoint/piece_format.h"
#include "runtime/image/image.h"

namespace roam::runtime {

// Writes a piece: begin(), add images, blocks and states in any order, arrange(), copy(), finish().
// Memory that it was given stays as it is from arrange() until copy() has returned, but for what
// reopen() changes: pages are looked at when they are copied.
//
// A piece is a file, or lies in memory: then copy() only copies, and finish() computes the
// checksums, so that threads may go on between the two.
//
// Context: the rank's kernel thread, the malloc family not captured; finish() in any kernel thread.
// Errors: false; error() names file, call and reason, the file is gone, and whatever follows
// returns false.
class PieceWriter {
 public:
  PieceWriter() = default;
  ~PieceWriter() { give_up(); }  // what was not finished
  PieceWriter(const PieceWriter&) = delete;
  PieceWriter& operator=(const PieceWriter&) = delete;

  // Its file will be `path`, for this user only; there is none yet.
  void begin(const std::string& path, int rank, int ranks, std::uint64_t number);
  // It lies in memory, of the object `fd`, which stays the caller's and is overwritten. It is
  // mapped too (`memory`; none: it is written by its descriptor). `grown` is told now and then, if
  // it is not null, how many of its bytes will not change any more. REQUIRES: nothing has been
  // copied.
  using Grown = std::function<void(std::uint64_t bytes)>;
  void put_into(int fd, const Aside::Mapped& memory, Grown grown = nullptr);
  // Pages that `known` has, and that are in `clean` or have their checksums, need not be written
  // again: only the others are. Both have to stay. The pieces that have them get other names beside
  // the new one when they are first found to have any, by `link`, which is given the name that one
  // has now and the one that it gets, and says whether that can be; if it cannot, its pages are
  // written. REQUIRES: nothing was arranged.
  using Linker = std::function<bool(const std::string& from, const std::string& to)>;
  void build_on(const KnownPages& known, const std::vector<Range>* clean, Linker link);
  // Of files in the folder of `known` and that of the new one.
  Linker links_of_files(const KnownPages& known) const;

  bool add_image(const ImageHead& head, const Image& image);
  // The pages that exist of the block's range. `mapped`: as runtime::for_each_present() takes it.
  bool add_block(Range range, std::uint64_t bytes_asked,
                 const std::vector<Range>* mapped = nullptr);
  bool add_state(std::string_view name, std::string_view bytes);
  // Decides which pages are copied, of all that was added; copy() does it if nobody has.
  bool arrange();
  bool copy();
  // All of it is on disk, if it is a file. `pages`, if not null, is what it has.
  bool finish(PieceSummary* summary, KnownPages* pages = nullptr);

  const std::string& error() const { return error_; }
  // In pages, once they are arranged: of all memory, and of that which is copied.
  std::uint64_t bytes() const { return all_bytes_; }
  std::uint64_t bytes_copied() const { return pages_bytes_; }

 private:
  // What was added: text of its entry in `lists_`, and its pages in `ranges_`, up to there. They
  // follow in the index.
  struct Added {
    std::string* index;
    std::size_t text_end, ranges_end;
  };
  struct Pending {
    Range pages;
    std::string* index;  // in which its hash belongs at `at`
    std::size_t at;
    std::size_t hashes;  // where those of its pages belong
  };
  bool fail(int error, const std::string& call);
  void give_up();
  bool usable();
  void add_ranges(std::string* index, const std::vector<Range>& ranges);
  void add_pages(std::span<const Range> ranges, std::string* to);
  void add_run(Range pages, std::string* to);
  void add_known(const KnownPages::Run& run, Range part, std::string* to);
  std::uint32_t base_of(const KnownPages::Run& run);
  std::size_t same_bytes(Range pages, const KnownPages::Run** run) const;
  bool write(std::vector<iovec>& parts);
  bool copy_head();
  bool copy_mapped(Range pages);
  void gather_memory(std::size_t* next);
  void gather_copies(std::size_t* next);
  void tell_growth();
  bool hash_copied();
  void hash(const Pending& pending, const void* bytes);

  int fd_ = -1;
  bool in_memory_ = false;
  Aside::Mapped memory_;
  Grown grown_;
  bool direct_ = false;
  std::string path_;
  std::string error_;
  PieceSummary summary_;
  std::string images_, blocks_, states_;  // their entries in the index
  std::string lists_;
  std::vector<Range> ranges_;
  std::vector<Range> pages_;  // of what is being added
  std::vector<Added> added_;
  std::vector<Pending> pending_;
  std::uint64_t all_bytes_ = 0, pages_bytes_ = 0;
  std::uint64_t offset_ = 0;  // up to which the file is written
  std::uint64_t told_ = 0;    // and up to which that was told
  std::uint64_t state_count_ = 0;
  std::vector<iovec> parts_;
  PageBuffer buffer_;
  KnownPages own_;  // what this piece has
  const KnownPages* known_ = nullptr;
  const std::vector<Range>* clean_ = nullptr;
  Linker link_;
  // By number in `known_`, 0 its own piece: the number of that file here; 0: it cannot be one.
  static constexpr std::uint32_t kNotAsked = UINT32_MAX;
  std::vector<std::uint32_t> files_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_PIECE_WRITER_H_
