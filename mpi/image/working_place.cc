#include "mpi/image/working_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace roam::mpi {
namespace {

// What the process has. Null: its own, which is noted when somebody has another.
const WorkingPlace* folder_of = nullptr;
const WorkingPlace* mask_of = nullptr;
int process_folder = -1;
mode_t process_mask = 0;

int open_folder(const char* path) { return ::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); }

bool note_process() {
  if (process_folder < 0) process_folder = open_folder(".");
  return process_folder >= 0;
}

void restore_folder() {
  ROAM_CHECK(::fchdir(process_folder) == 0,
             "the process cannot go back to the folder it was started in: %s",
             std::strerror(errno));
  folder_of = nullptr;
}

void restore_mask() {
  ::umask(process_mask);
  mask_of = nullptr;
}

bool is_processes() {
  struct stat here, there;
  return ::stat(".", &here) == 0 && ::fstat(process_folder, &there) == 0 &&
         here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

}  // namespace

int WorkingPlace::change_folder(const char* path) {
  return note_process() && ::chdir(path) == 0 ? changed() : -1;
}
int WorkingPlace::change_folder(int descriptor) {
  return note_process() && ::fchdir(descriptor) == 0 ? changed() : -1;
}

// The process is in its new folder.
int WorkingPlace::changed() {
  if (is_processes()) {
    if (at_ >= 0) ::close(at_);
    at_ = -1;
    folder_.clear();
    folder_of = nullptr;
    return 0;
  }
  const int at = open_folder(".");
  char* path = at < 0 ? nullptr : ::getcwd(nullptr, 0);
  if (path == nullptr) {  // it goes on where it was
    const int error = errno;
    if (at >= 0) ::close(at);
    ROAM_CHECK(::fchdir(folder_.empty() ? process_folder : at_) == 0,
               "the process cannot go back to a folder: %s", std::strerror(errno));
    errno = error;
    return -1;
  }
  if (at_ >= 0) ::close(at_);
  at_ = at;
  folder_ = path;
  std::free(path);
  folder_of = this;
  return 0;
}

mode_t WorkingPlace::change_mask(mode_t mask) {
  const mode_t old = ::umask(mask);
  if (mask_of == nullptr) process_mask = old;
  const bool own = (mask & 0777) != process_mask;
  mask_ = own ? static_cast<int>(mask & 0777) : -1;
  mask_of = own ? this : nullptr;
  return old;
}

bool WorkingPlace::to_folder() {
  if (!note_process()) return false;
  if (at_ < 0) at_ = open_folder(folder_.c_str());
  return at_ >= 0 && ::fchdir(at_) == 0;
}

void WorkingPlace::enter() {
  if (folder_.empty()) {
    if (folder_of != nullptr) [[unlikely]]
      restore_folder();
  } else if (folder_of != this) {
    ROAM_CHECK(to_folder(),
               "a virtual rank works in the folder %s (chdir), where this process cannot go: %s. "
               "Let it be one that all hosts have, or name files by their whole paths",
               folder_.c_str(), std::strerror(errno));
    folder_of = this;
  }
  if (mask_ < 0) {
    if (mask_of != nullptr) [[unlikely]]
      restore_mask();
  } else if (mask_of != this) {
    const mode_t old = ::umask(static_cast<mode_t>(mask_));
    if (mask_of == nullptr) process_mask = old;
    mask_of = this;
  }
}

void WorkingPlace::depart() {
  if (folder_of == this) restore_folder();
  if (mask_of == this) restore_mask();
  if (at_ >= 0) ::close(at_);
  at_ = -1;
}

}  // namespace roam::mpi
