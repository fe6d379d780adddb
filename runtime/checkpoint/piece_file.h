#ifndef ROAM_RUNTIME_CHECKPOINT_PIECE_FILE_H_
#define ROAM_RUNTIME_CHECKPOINT_PIECE_FILE_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "base/os/helper_thread.h"

namespace roam::runtime {

// The file of a piece that is being made in memory: a kernel thread of its own writes what is there
// already, past the page cache, so that the disk has work while the rest is copied.
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
  // The first `bytes` of it, whole pages, stay as they are from now on.
  void grew_to(std::uint64_t bytes);
  // It has `bytes`, whole pages, which are all there. It is on disk when this returns.
  bool end(std::uint64_t bytes, std::string* why);
  // It is not wanted any more, if it was not ended.
  void give_up();

 private:
  static constexpr std::uint64_t kComplete = 1, kGivenUp = 2;
  void tell(std::uint64_t state);
  void write();
  bool write_part(std::uint64_t at, std::uint64_t bytes);
  bool write_from(const char* from, std::uint64_t at, std::uint64_t bytes);
  bool fail(const char* call);

  std::string path_;
  int object_ = -1;
  const char* mapped_ = nullptr;
  std::uint64_t mapped_bytes_ = 0;
  // How many bytes are there, whole pages; and the bits above.
  std::atomic<std::uint64_t> there_ = 0;
  // Of the kernel thread, until it has ended.
  int fd_ = -1;
  bool direct_ = false;
  std::string why_;
  bool begun_ = false;
  bool tried_ = false;  // to have a kernel thread
  bool runs_ = false;   // it has one
  os::HelperThread thread_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_PIECE_FILE_H_
