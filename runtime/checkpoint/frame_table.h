#ifndef ROAM_RUNTIME_CHECKPOINT_FRAME_TABLE_H_
#define ROAM_RUNTIME_CHECKPOINT_FRAME_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/checkpoint/compressed_format.h"

namespace roam::runtime {

// Where the frames of a compressed file are. Each take_...() believes nothing that it has not
// checked; false, and `wrong` says what and where in the file.
class FrameTable {
 public:
  struct Frame {
    std::uint64_t offset;  // in the file
    std::uint32_t bytes;   // there
    FrameMethod method;
    std::uint64_t hash;
  };
  struct Wrong {
    std::uint64_t at = 0;
    std::string what;
  };

  // Whether a file that begins with this page is compressed.
  static bool begins(const char* page);
  // In this order.
  bool take_head(const char* page, Wrong* wrong);
  // `file_bytes`: of the file, whose last bytes `trailer` are.
  bool take_trailer(const char* trailer, std::uint64_t file_bytes, Wrong* wrong);
  std::uint64_t table_offset() const { return trailer_.table_offset; }
  std::uint64_t table_bytes() const { return trailer_.table_bytes; }  // less than the file has
  bool take_table(const char* table, Wrong* wrong);

  std::uint64_t bytes() const { return trailer_.bytes; }                // of the piece
  std::uint64_t index_offset() const { return trailer_.index_offset; }  // in the piece
  std::uint64_t index_at() const { return index_at_; }                  // in the file
  std::size_t count() const { return frames_.size(); }
  const Frame& frame(std::size_t n) const { return frames_[n]; }
  std::uint32_t frame_bytes() const { return frame_bytes_; }
  // Of the piece, in frame n.
  std::size_t length(std::size_t n) const;
  // Where in the file what follows frame n begins; between them are zeros.
  std::uint64_t end(std::size_t n) const {
    return n + 1 < count() ? frames_[n + 1].offset : index_at_;
  }

 private:
  std::uint32_t frame_bytes_ = 0;
  CompressedTrailer trailer_{};
  std::vector<Frame> frames_;
  std::uint64_t index_at_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_FRAME_TABLE_H_
