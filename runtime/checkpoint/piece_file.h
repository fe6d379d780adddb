#ifndef ROAM_RUNTIME_CHECKPOINT_PIECE_FILE_H_
#define ROAM_RUNTIME_CHECKPOINT_PIECE_FILE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/os/helper_thread.h"
#include "runtime/checkpoint/compression.h"
#include "runtime/checkpoint/frame_writer.h"

namespace roam::runtime {

// The file of a piece that is being made in memory: a kernel thread of its own writes what is there
// already, past the page cache, so that the disk has work while the rest is copied. It may compress
// it: then it waits for begin_to_compress(), since that takes processors, which copies need.
//
// Context: one kernel thread calls; grew_to() may be called by another one.
// Errors: end() says false, and the file is gone.
class PieceFile {
 public:
  PieceFile() = default;
  ~PieceFile() { give_up(); }
  PieceFile(const PieceFile&) = delete;
  PieceFile& operator=(const PieceFile&) = delete;

  // The file will be `path`, for this user only, and there must be none yet. Its bytes are those of
  // the object `fd`, of which the first `mapped_bytes`, whole pages, are mapped at `mapped`. All
  // that has to stay until end() or give_up().
  void begin(const std::string& path, int fd, const char* mapped, std::uint64_t mapped_bytes);
  // Behind begin(): it is to be compressed, if there is memory for that. The piece's index will be
  // at `index_offset`.
  void compress(const Compression& how, std::uint64_t index_offset);
  // All that is before the index is there, and threads go on.
  void begin_to_compress();
  // The first `bytes` of it, whole pages, stay as they are from now on.
  void grew_to(std::uint64_t bytes);
  // It has `bytes`, whole pages, which are all there. It is on disk when this returns.
  bool end(std::uint64_t bytes, std::string* why);
  // Afterwards: how long it is, if it is compressed; else 0.
  std::uint64_t compressed_bytes() const { return compressed_bytes_; }
  // It is not wanted any more, if it was not ended.
  void give_up();

 private:
  static constexpr std::uint64_t kComplete = 1, kGivenUp = 2;
  void tell(std::uint64_t state);
  void start();
  void write();
  bool write_all();
  bool given_up() const { return (there_.load(std::memory_order_relaxed) & kGivenUp) != 0; }
  std::unique_ptr<FrameWriter> frames_of_file();
  bool write_part(std::uint64_t at, std::uint64_t bytes);
  bool write_from(const char* from, std::uint64_t at, std::uint64_t bytes);
  bool add_frames(const char* from, std::uint64_t at, std::uint64_t bytes);
  void remove();
  bool fail(const char* call);

  std::string path_;
  int object_ = -1;
  const char* mapped_ = nullptr;
  std::uint64_t mapped_bytes_ = 0;
  Compression compression_;
  std::uint64_t index_offset_ = 0;
  // How many bytes are there, whole pages; and the bits above.
  std::atomic<std::uint64_t> there_ = 0;
  // Of the kernel thread, until it has ended.
  int fd_ = -1;
  bool direct_ = false;
  std::unique_ptr<FrameWriter> frames_;  // null: as it is
  std::uint64_t compressed_bytes_ = 0;
  std::string why_;
  bool no_memory_ = false;
  bool begun_ = false;
  bool waits_ = false;  // for begin_to_compress()
  bool tried_ = false;  // to have a kernel thread
  bool runs_ = false;   // it has one
  os::HelperThread thread_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_PIECE_FILE_H_
