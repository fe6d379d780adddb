#ifndef ROAM_RUNTIME_CHECKPOINT_FRAME_WRITER_H_
#define ROAM_RUNTIME_CHECKPOINT_FRAME_WRITER_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/checkpoint/compressed_format.h"
#include "runtime/checkpoint/compression.h"
#include "runtime/checkpoint/page_buffer.h"

namespace roam::runtime {

// Writes the bytes of a piece as frames (compressed_format.h). A frame that does not become shorter
// by an eighth is stored as it is, straight from where it lies; the next one is not tried then, and
// after each further failure twice as many are not, up to 15: what cannot be compressed costs a
// sixteenth of the time.
//
// Context: one kernel thread, the malloc family not captured. Errors: false with errno, as of
// write_direct().
class FrameWriter {
 public:
  // Into `fd`, in which there is nothing yet; `direct`: it writes past the page cache. The piece's
  // index will be at `index_offset`. Errors: std::bad_alloc; nothing needs memory afterwards.
  FrameWriter(int fd, bool direct, const Compression& how, std::uint64_t index_offset);

  // The next of the piece, a whole frame or the last, which stays as it is until flush().
  bool add(const char* from, std::size_t bytes);
  // Whole pages that are stored as they are, and stay so until flush().
  bool add_index(const char* from, std::size_t bytes) { return store(from, bytes); }
  // What was added is needed no longer.
  bool flush();
  // All `piece_bytes` have been added.
  bool finish(std::uint64_t piece_bytes);

  std::size_t frame_bytes() const { return how_.frame_bytes; }
  std::uint64_t bytes() const { return end_; }  // of the file

 private:
  std::size_t try_to_compress(const char* from, std::size_t bytes);
  bool store(const char* from, std::size_t bytes);
  void pad();

  int fd_;
  bool direct_;
  Compression how_;
  std::uint64_t index_offset_;
  Compressor compressor_;
  std::vector<FrameEntry> entries_;
  PageBuffer table_;
  // What waits to be written: `parts_`, and behind them of `out_` what lies between `open_` and
  // `filled_`, which begins at a whole page of the file.
  std::vector<iovec> parts_;
  PageBuffer out_;
  std::size_t open_ = 0, filled_ = 0, waits_ = 0;
  std::uint64_t written_ = 0;  // of the file
  std::uint64_t end_ = 0;      // with what waits
  int pause_ = 0, passed_over_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_FRAME_WRITER_H_
