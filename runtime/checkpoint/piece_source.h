#ifndef ROAM_RUNTIME_CHECKPOINT_PIECE_SOURCE_H_
#define ROAM_RUNTIME_CHECKPOINT_PIECE_SOURCE_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "runtime/checkpoint/frame_table.h"

namespace roam::runtime {

// The file of a piece, as it is on disk or in memory.
//
// Errors: false, and `why` names the file, the byte where it is wrong, and what is wrong.
class PieceSource {
 public:
  PieceSource() = default;
  ~PieceSource() { close(); }
  PieceSource(const PieceSource&) = delete;
  PieceSource& operator=(const PieceSource&) = delete;

  // `fd` is its own from now on; -1: it could not be opened, by errno. A file of another user is
  // refused, unless `of_others`.
  bool open(int fd, const std::string& path, bool of_others, std::string* why);
  void close();  // what it knows stays
  // Whether it says at its begin that it is compressed.
  bool compressed() const { return table_ != nullptr; }
  // Reads and checks where its frames are. REQUIRES: compressed().
  bool read_table(std::string* why);

  // What failed was for want of something (shortage.h): nothing is wrong with the file.
  bool lacked() const { return lacked_; }

  const std::string& path() const { return path_; }
  std::uint64_t file_bytes() const { return file_bytes_; }
  // Of the piece. REQUIRES: read_table(), if it is compressed.
  std::uint64_t bytes() const { return compressed() ? table_->bytes() : file_bytes_; }
  const FrameTable& table() const { return *table_; }

  // Bytes of the file from `offset` on, which are all there.
  bool read(std::uint64_t offset, std::span<const iovec> parts, std::string* why);
  bool read(std::uint64_t offset, char* to, std::size_t bytes, std::string* why);
  bool refuse(std::uint64_t at, const std::string& what, std::string* why) const;

 private:
  std::string path_;
  int fd_ = -1;
  bool direct_ = false;
  bool lacked_ = false;
  std::uint64_t file_bytes_ = 0;
  std::unique_ptr<FrameTable> table_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_PIECE_SOURCE_H_
