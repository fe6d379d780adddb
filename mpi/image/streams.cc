#include "mpi/image/streams.h"

#include <fcntl.h>
#include <stdio_ext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "isomalloc/process_call.h"
#include "mpi/image/process_calls.h"

namespace roam::mpi {
namespace {

int number_of(FILE* file) {
  const int error = errno;
  const int number = ::fileno(file);
  errno = error;
  return number;
}

// Streams in memory have -2.
constexpr int kNone = -1;

// A descriptor of the process with which every call fails with EBADF.
int nowhere() {
  static const int opened = ::open("/", O_PATH | O_CLOEXEC);
  return opened;
}

bool is_cut_off(const FILE* file) { return file->_fileno == kNone || file->_fileno == nowhere(); }

}  // namespace

// popen fails while a stream of another one has no descriptor.
void Streams::cut_off(const Stream& stream) {
  stream.file->_fileno = stream.has_child ? nowhere() : kNone;
}

FILE* Streams::opened(FILE* file, bool has_child) {
  if (file == nullptr) return nullptr;
  const int number = number_of(file);
  try {
    streams_.push_back({file, has_child});
  } catch (const std::bad_alloc&) {
    std::fclose(file);
    errno = ENOMEM;
    return nullptr;
  }
  if (descriptors_.opened_by_stream(number) == number) return file;
  file->_fileno = kNone;  // it is closed already
  close(file, &std::fclose);
  errno = ENOMEM;
  return nullptr;
}

DIR* Streams::opened(DIR* folder) {
  if (folder == nullptr) return nullptr;
  try {
    folders_.push_back(folder);
  } catch (const std::bad_alloc&) {
    ::closedir(folder);
    errno = ENOMEM;
    return nullptr;
  }
  if (descriptors_.opened_by_stream(::dirfd(folder)) != -1) return folder;
  close(folder);
  errno = ENOMEM;
  return nullptr;
}

std::vector<Streams::Stream>::iterator Streams::find(const FILE* file) {
  return std::find_if(streams_.begin(), streams_.end(),
                      [&](const Stream& stream) { return stream.file == file; });
}

int Streams::close(FILE* file, int (*call)(FILE*)) {
  if (file == stdin) return 0;
  if (is_standard(file)) return std::fflush(file);
  const auto found = find(file);
  if (found == streams_.end()) return call(file);
  const bool has_child = found->has_child;
  streams_.erase(found);
  const int number = number_of(file);
  const bool lost = number >= 0 ? !descriptors_.forget(number) : is_cut_off(file);
  // libc forgets a child's stream only if it can close something.
  if (lost) file->_fileno = has_child ? ::fcntl(nowhere(), F_DUPFD_CLOEXEC, 3) : kNone;
  const int result = call(file);
  const int error = lost ? EBADF : errno;  // of that libc says nothing
  if (number >= 0) lose(number);
  errno = error;
  return lost && has_child ? -1 : result;
}

int Streams::close(DIR* folder) {
  const auto found = std::find(folders_.begin(), folders_.end(), folder);
  if (found == folders_.end()) return ::closedir(folder);
  folders_.erase(found);
  const int number = ::dirfd(folder);
  if (descriptors_.forget(number)) {
    lose(number);
    return ::closedir(folder);
  }
  // Its number is closed, and may be another's by now: libc would close that. Its memory stays.
  const iso::HeapScope process;
  iso::closed(folder);
  errno = EBADF;
  return -1;
}

FILE* Streams::reopen(const char* path, const char* mode, FILE* file,
                      FILE* (*call)(const char*, const char*, FILE*)) {
  const int before = number_of(file);
  const auto found = find(file);
  if (found != streams_.end() && found->has_child) {
    report_refused("freopen of a stream of popen", "use pclose and fopen");
    errno = ENOSYS;
    return nullptr;
  }
  if (found != streams_.end() && before >= 0 && !descriptors_.has(before)) file->_fileno = kNone;
  if (path == nullptr && number_of(file) < 0) {  // libc would end the process
    errno = EBADF;
    return nullptr;
  }
  FILE* again = call(path, mode, file);
  const int error = errno;
  const int after = again == nullptr ? -1 : number_of(again);
  if (after != before) descriptors_.forget(before);
  if (after >= 0) descriptors_.opened_by_stream(after);
  if (again == nullptr) {  // it is closed, and since glibc 2.41 its memory is free
    if (const auto closed = find(file); closed != streams_.end()) streams_.erase(closed);
  }
  errno = error;
  return again;
}

void Streams::lose(int descriptor) {
  for (const Stream& stream : streams_) {
    if (number_of(stream.file) == descriptor) cut_off(stream);
  }
}

int Streams::flush_all() {
  int result = std::fflush(stdout) | std::fflush(stderr);
  for (std::size_t i = 0; i < streams_.size(); ++i) {  // some call the program, which opens more
    // Of what was read, as of the standard input, nothing is put back.
    if (__fwriting(streams_[i].file) != 0) result |= std::fflush(streams_[i].file);
  }
  return result;
}

int Streams::flush_and_close_all() {
  int result = std::fflush(stdout) | std::fflush(stderr);
  while (!streams_.empty()) result |= close(streams_.back().file, &std::fclose);
  return result;
}

void Streams::close_all() {
  while (!folders_.empty()) close(folders_.back());
  while (!streams_.empty()) {
    const Stream stream = streams_.back();
    const int number = number_of(stream.file);
    const bool in_memory = number < 0 && !is_cut_off(stream.file);
    __fpurge(stream.file);
    if (!in_memory && !stream.has_child) {
      close(stream.file, &std::fclose);
      continue;
    }
    // A child is not waited for, nor is code of the program called, which has ended: what is left
    // of the stream has nothing to write.
    if (number >= 0) {
      descriptors_.close(number);
      cut_off(stream);
    }
    streams_.pop_back();
  }
}

}  // namespace roam::mpi
