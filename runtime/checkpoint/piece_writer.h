#ifndef ROAM_RUNTIME_CHECKPOINT_PIECE_WRITER_H_
#define ROAM_RUNTIME_CHECKPOINT_PIECE_WRITER_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/range.h"
#include "runtime/checkpoint/page_buffer.h"
#include "runtime/checkpoint/piece_format.h"
#include "runtime/image/image.h"

namespace roam::runtime {

// Writes a piece: images, blocks and states in any order, then finish(). Memory that it was given
// stays as it is until finish() has returned, but for what close_for_image() and reopen() change:
// pages are looked at when they are written.
//
// Context: the rank's kernel thread, the malloc family not captured. Errors: false; error() names
// file, call and reason, the file is gone, and whatever follows returns false.
class PieceWriter {
 public:
  PieceWriter() = default;
  ~PieceWriter();  // gives up what was not finished
  PieceWriter(const PieceWriter&) = delete;
  PieceWriter& operator=(const PieceWriter&) = delete;

  // Makes the file, for this user only. There is none yet.
  bool open(const std::string& path, int rank, int ranks, std::uint64_t number);
  bool add_image(const ImageHead& head, const Image& image);
  // The pages that exist of the block's range.
  bool add_block(Range range, std::uint64_t bytes_asked);
  bool add_state(std::string_view name, std::string_view bytes);
  // All of it is on disk.
  bool finish(PieceSummary* summary);

  const std::string& error() const { return error_; }
  // In pages, so far.
  std::uint64_t bytes() const { return pages_bytes_; }

 private:
  struct Pending {
    Range pages;
    std::string* index;  // in which its hash belongs at `at`
    std::size_t at;
  };
  bool fail(int error, const std::string& call);
  bool usable();
  void add_pages(std::string* to);
  bool flush(bool all);
  bool write(std::vector<iovec>& parts);

  int fd_ = -1;
  bool direct_ = false;
  std::string path_;
  std::string error_;
  PieceSummary summary_;
  std::string images_, blocks_, states_;  // their entries in the index
  std::vector<Range> pages_;              // of what is being added
  std::vector<Pending> pending_;
  std::size_t pending_bytes_ = 0;
  std::uint64_t pages_bytes_ = 0;
  std::uint64_t offset_ = 0;  // up to which the file is written
  std::uint64_t state_count_ = 0;
  std::vector<iovec> parts_;
  PageBuffer buffer_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_PIECE_WRITER_H_
