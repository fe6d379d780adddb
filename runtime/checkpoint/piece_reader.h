#ifndef ROAM_RUNTIME_CHECKPOINT_PIECE_READER_H_
#define ROAM_RUNTIME_CHECKPOINT_PIECE_READER_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/range.h"
#include "runtime/checkpoint/frame_reader.h"
#include "runtime/checkpoint/page_buffer.h"
#include "runtime/checkpoint/piece_format.h"
#include "runtime/checkpoint/piece_source.h"
#include "runtime/image/image.h"

namespace roam::runtime {

// Reads a piece. Nothing of it is used before its checksum is found right. Its file, and each of
// those that it builds on, may be compressed or not, as they say themselves.
//
// Context: the rank's kernel thread, the malloc family not captured. Errors: false, and `why` names
// the file, the byte where it is wrong, and what is wrong; of what was compressed the byte of the
// piece, which is said, where the file is right.
class PieceReader {
 public:
  struct Block {
    Range range;
    std::uint64_t bytes;  // as asked for
  };

  PieceReader() = default;
  ~PieceReader() = default;
  PieceReader(const PieceReader&) = delete;
  PieceReader& operator=(const PieceReader&) = delete;

  // Reads and checks all but the pages. `expected` is what the manifest says. A file of another
  // user is refused, unless `of_others`.
  // REQUIRES: iso::arena() has the addresses of the job that wrote it, and its leases.
  bool open(const std::string& path, const PieceSummary& expected, std::string* why,
            bool of_others = false);
  // The same of one that lies elsewhere. `opened` gives a descriptor, which is the reader's from
  // then on, for the name of a file: the piece, as its summary names it, or a base. -1 with errno.
  // `path` is what errors name.
  using Opener = std::function<int(const std::string& name)>;
  bool open(const Opener& opened, const std::string& path, const PieceSummary& expected,
            std::string* why, bool of_others = false);

  std::size_t images() const { return images_.size(); }
  const ImageHead& head(std::size_t i) const { return images_[i].head; }
  const Image& image(std::size_t i) const { return images_[i].image; }
  // Puts its bytes in their place, whole pages. REQUIRES: claim().
  bool read_pages(std::size_t i, std::string* why) {
    return read_runs(images_[i].first, images_[i].count, why);
  }
  // Copies bytes of its memory. False too if they are not among its pages.
  bool copy(std::size_t i, Address from, void* to, std::size_t bytes, std::string* why);

  std::size_t blocks() const { return blocks_.size(); }
  const Block& block(std::size_t b) const { return blocks_[b].block; }
  // Puts the pages that exist in their place; others of its range have to read as zeros.
  bool read_block(std::size_t b, std::string* why) {
    return read_runs(blocks_[b].first, blocks_[b].count, why);
  }

  // Whether what failed was for want of memory, of a descriptor or of an answer in time: the piece
  // may be whole.
  bool lacked() const;

  // As long as this lives.
  std::optional<std::string_view> state(std::string_view name) const;

  // Pages are not read any more; what else it has stays.
  void close_files();

  // Reads all pages, into a buffer, and checks them.
  bool verify(std::string* why);

 private:
  class Cursor;
  struct ImageEntry {
    ImageHead head;
    Image image;
    std::size_t first, count;  // of runs_
  };
  struct BlockRuns {
    Block block;
    std::size_t first, count;
  };

  bool refuse(std::uint64_t at, const std::string& what, std::string* why,
              std::size_t file = 0) const;
  bool open_file(const Opener& opened, const std::string& name, const std::string& path,
                 bool of_others, std::string* why);
  bool check_lengths(const PieceSummary& expected, std::string* why);
  bool open_bases(const Opener& opened, const std::vector<BaseEntry>& bases, bool of_others,
                  std::string* why);
  bool read_at(std::size_t file, std::uint64_t offset, std::span<const iovec> parts,
               std::string* why);
  bool read_at(std::size_t file, std::uint64_t offset, char* to, std::size_t bytes,
               std::string* why);
  bool check_head_page(std::size_t file, const PieceSummary& expected, std::string* why);
  bool read_index(const PieceSummary& expected, std::string* why);
  bool take_images(Cursor& in, std::uint64_t count, std::string* why);
  bool take_blocks(Cursor& in, std::uint64_t count, std::string* why);
  bool take_states(Cursor& in, std::uint64_t count, std::string* why);
  bool take_runs(Cursor& in, const std::vector<Range>& pages, std::string* why);
  bool covers_all_pages(std::string* why) const;

  // Whether the second lies behind the first in the file, `bytes` from its begin.
  static bool follows(const PageRun& next, const PageRun& first, std::size_t bytes) {
    return next.file == first.file && next.offset == first.offset + bytes;
  }
  bool read_runs(std::size_t first, std::size_t count, std::string* why);
  bool read_direct(std::size_t first, std::size_t count, std::string* why);
  const char* in_window(std::size_t run, std::string* why);
  bool check_hash(const PageRun& run, const void* bytes, std::string* why) const;

  std::deque<PieceSource>
      files_;  // the piece, and those that it builds on, as page runs count them
  FrameReader frames_;
  std::uint64_t index_offset_ = 0;
  PageBuffer index_;
  std::vector<ImageEntry> images_;
  std::vector<BlockRuns> blocks_;
  std::vector<PageRun> runs_;  // of images, then of blocks
  std::vector<std::pair<std::string_view, std::string_view>> states_;
  PageBuffer window_;  // bytes of one of the files
  std::size_t window_file_ = 0;
  std::uint64_t window_begin_ = 0, window_bytes_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_PIECE_READER_H_
