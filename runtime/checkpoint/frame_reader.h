#ifndef ROAM_RUNTIME_CHECKPOINT_FRAME_READER_H_
#define ROAM_RUNTIME_CHECKPOINT_FRAME_READER_H_

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "runtime/checkpoint/compression.h"
#include "runtime/checkpoint/page_buffer.h"
#include "runtime/checkpoint/piece_source.h"

namespace roam::runtime {

// Reads bytes of pieces out of their compressed files: of one and of those that it builds on, whose
// frames are wanted in turn. Nothing is decompressed before its checksum is found right.
//
// Context: one kernel thread, the malloc family not captured. Errors: as PieceSource.
class FrameReader {
 public:
  // Bytes of the piece from `offset` on. REQUIRES: file.read_table().
  bool read(PieceSource& file, std::uint64_t offset, std::span<const iovec> parts,
            std::string* why);
  bool lacked() const { return decompressor_.lacked(); }  // as of PieceSource

 private:
  static constexpr std::size_t kNone = SIZE_MAX;
  // Frames that were decompressed, of which a part may be wanted next.
  struct Slot {
    const PieceSource* file = nullptr;
    std::size_t frame = kNone;
    std::uint64_t used = 0;
    PageBuffer bytes;
  };
  // What is read at once: the bytes of the piece from `to` on, up to `left`; 0 and why.
  std::size_t read_some(PieceSource& file, std::uint64_t offset, char* to, std::size_t left,
                        std::uint64_t end, std::string* why);
  const char* frame(PieceSource& file, std::size_t n, std::uint64_t end, std::string* why);
  Slot* find(const PieceSource& file, std::size_t n);
  // `end`: of the piece; up to there more is wanted.
  bool decompress(PieceSource& file, std::size_t n, char* to, std::uint64_t end, std::string* why);
  const char* in_window(PieceSource& file, std::size_t n, std::uint64_t end, std::string* why);

  Decompressor decompressor_;
  std::array<Slot, 16> slots_;
  std::uint64_t uses_ = 0;
  PageBuffer window_;  // bytes of one of the files
  const PieceSource* window_file_ = nullptr;
  std::uint64_t window_begin_ = 0, window_bytes_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_FRAME_READER_H_
