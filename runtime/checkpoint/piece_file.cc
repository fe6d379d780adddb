#include "runtime/checkpoint/piece_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "base/os/file_calls.h"
#include "base/text.h"
#include "runtime/checkpoint/direct_write.h"

namespace roam::runtime {
namespace {

constexpr std::uint64_t kPartBytes = 4 << 20;  // of one system call: it keeps a disk busy

}  // namespace

void PieceFile::begin(const std::string& path, int fd, const char* mapped,
                      std::uint64_t mapped_bytes) {
  path_ = path;
  object_ = fd;
  mapped_ = mapped;
  mapped_bytes_ = mapped_bytes;
  compression_ = {};
  index_offset_ = 0;
  waits_ = false;
  begun_ = true;
}

void PieceFile::compress(const Compression& how, std::uint64_t index_offset) {
  compression_ = how;
  index_offset_ = index_offset;
  waits_ = how.level != 0;
}

void PieceFile::begin_to_compress() {
  if (begun_ && std::exchange(waits_, false) && index_offset_ >= kPartBytes) start();
}

// A short one is written by end(), and so is any if there is no room for a kernel thread.
void PieceFile::grew_to(std::uint64_t bytes) {
  tell(bytes);
  if (bytes >= kPartBytes && !waits_) start();
}

void PieceFile::start() {
  if (!std::exchange(tried_, true)) runs_ = thread_.begin([this] { write(); });
}

void PieceFile::tell(std::uint64_t state) {
  there_.store(state, std::memory_order_release);
  there_.notify_one();
}

bool PieceFile::end(std::uint64_t bytes, std::string* why) {
  tell(bytes | kComplete);
  if (runs_)
    thread_.end();
  else
    write();
  begun_ = runs_ = tried_ = false;
  if (no_memory_) why_ = path_ + ": there is no memory to write it";
  *why = why_;
  return why_.empty();
}

void PieceFile::give_up() {
  if (!begun_) return;
  tell(kGivenUp);
  thread_.end();
  begun_ = runs_ = tried_ = false;
  remove();
}

void PieceFile::remove() {
  if (fd_ < 0) return;
  os::close_file_of(fd_);
  os::remove_file(path_);
  fd_ = -1;
}

bool PieceFile::fail(const char* call) {
  why_ = text("%s: %s: %s", path_.c_str(), call, std::strerror(errno));
  remove();
  return false;
}

// Throws nothing. There may be no memory for its lists, and none to say so.
void PieceFile::write() {
  try {
    if (!write_all() || given_up()) return;
  } catch (const std::bad_alloc&) {
    no_memory_ = true;
    remove();
    return;
  }
  if (os::sync_file(fd_) != 0) {
    fail("fsync");
    return;
  }
  const int fd = fd_;
  fd_ = -1;
  if (os::close_file_of(fd) == 0) return;
  fail("close");
  os::remove_file(path_);
}

// Null: it is not to be compressed, or there is no memory for that.
std::unique_ptr<FrameWriter> PieceFile::frames_of_file() {
  if (compression_.level == 0) return nullptr;
  try {
    return std::make_unique<FrameWriter>(fd_, direct_, compression_, index_offset_);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

bool PieceFile::write_all() {
  compressed_bytes_ = 0;
  fd_ = os::open_file(path_, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd_ < 0) return fail("open");
  direct_ = os::set_direct(fd_, true) == 0;
  frames_ = frames_of_file();
  std::uint64_t at = 0;
  for (;;) {
    const std::uint64_t state = there_.load(std::memory_order_acquire);
    if ((state & kGivenUp) != 0) return true;
    const bool complete = (state & kComplete) != 0;
    const std::uint64_t left = (state & ~kComplete) - at;
    if (left >= kPartBytes || (complete && left != 0)) {
      std::uint64_t bytes = std::min(left, kPartBytes);
      if (at < index_offset_) bytes = std::min(bytes, index_offset_ - at);
      if (!write_part(at, bytes)) return false;
      at += bytes;
    } else if (complete) {
      break;
    } else {
      there_.wait(state, std::memory_order_acquire);
    }
  }
  if (frames_ == nullptr) return true;
  if (!frames_->finish(at)) return fail("pwritev");
  compressed_bytes_ = frames_->bytes();
  frames_ = nullptr;
  return true;
}

bool PieceFile::write_part(std::uint64_t at, std::uint64_t bytes) {
  if (at + bytes <= mapped_bytes_) return write_from(mapped_ + at, at, bytes);
  void* part = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, object_, static_cast<off_t>(at));
  if (part == MAP_FAILED) return fail("mmap");
  bool good = write_from(static_cast<const char*>(part), at, bytes);
  if (good && frames_ != nullptr && !frames_->flush()) good = fail("pwritev");
  munmap(part, bytes);
  return good;
}

bool PieceFile::write_from(const char* from, std::uint64_t at, std::uint64_t bytes) {
  if (frames_ != nullptr) return add_frames(from, at, bytes) || fail("pwritev");
  std::vector<iovec> parts{{const_cast<char*>(from), bytes}};
  return write_direct(fd_, parts, &at, &direct_) || fail("pwritev");
}

// Each may take long, and nobody may want it any more.
bool PieceFile::add_frames(const char* from, std::uint64_t at, std::uint64_t bytes) {
  if (at >= index_offset_) return frames_->add_index(from, bytes);
  for (std::uint64_t done = 0; done < bytes && !given_up(); done += frames_->frame_bytes()) {
    if (!frames_->add(from + done, std::min<std::uint64_t>(frames_->frame_bytes(), bytes - done)))
      return false;
  }
  return true;
}

}  // namespace roam::runtime
