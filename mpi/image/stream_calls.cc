// Calls that open and close streams and walks through folders. The standard streams are those of
// the process, whose lines all of its virtual ranks write: what would change them for others is
// refused aloud, or not done where nothing but the time of writing depends on it.

#include <fcntl.h>
#include <mntent.h>

#include <cerrno>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

Streams& streams() { return Image::running()->streams(); }
Descriptors& descriptors() { return Image::running()->descriptors(); }

// ---- opening ----

FILE* open_file(const char* path, const char* mode) { return streams().opened(fopen(path, mode)); }
FILE* open_large_file(const char* path, const char* mode) {
  return streams().opened(fopen64(path, mode));
}
FILE* open_temporary() { return streams().opened(tmpfile()); }
FILE* open_memory(void* buffer, std::size_t bytes, const char* mode) {
  return streams().opened(fmemopen(buffer, bytes, mode));
}
FILE* open_cookie(void* cookie, const char* mode, cookie_io_functions_t calls) {
  return streams().opened(fopencookie(cookie, mode, calls));
}
FILE* open_text(char** text, std::size_t* bytes) {
  return streams().opened(open_memstream(text, bytes));
}
FILE* open_wide_text(wchar_t** text, std::size_t* count) {
  return streams().opened(open_wmemstream(text, count));
}
FILE* open_mounts(const char* path, const char* mode) {
  return streams().opened(setmntent(path, mode));
}
DIR* open_folder(const char* path) { return streams().opened(opendir(path)); }

// One of the virtual rank's own that means the same, since a stream closes what it has: a standard
// one is everybody's. -1: it has none of that number.
int own_number(int descriptor) {
  if (Descriptors::is_standard(descriptor)) {
    return ::fcntl(Image::running()->standard_input().descriptor(descriptor), F_DUPFD, 3);
  }
  if (descriptors().may_use(descriptor)) return descriptor;
  errno = EBADF;
  return -1;
}
template <class Open>
auto opened_over(int descriptor, Open open) {
  const int own = own_number(descriptor);
  auto* made = streams().opened(open(own));
  if (made == nullptr && own >= 0 && own != descriptor) {
    const int error = errno;
    ::close(own);
    errno = error;
  }
  return made;
}
FILE* open_over(int descriptor, const char* mode) {
  return opened_over(descriptor, [&](int own) { return fdopen(own, mode); });
}
DIR* open_folder_over(int descriptor) { return opened_over(descriptor, &::fdopendir); }

// ---- closing, and what is open already ----

int close_stream(FILE* file) {
  Image::running()->look_at_standard_streams();
  return streams().close(file, &fclose);
}
int close_command(FILE* file) { return streams().close(file, &pclose); }
int close_mounts(FILE* file) { return streams().close(file, &endmntent); }
int close_folder(DIR* folder) { return streams().close(folder); }
int close_streams() { return streams().flush_and_close_all(); }
int flush(FILE* file) { return file == nullptr ? streams().flush_all() : fflush(file); }

template <FILE* (*kCall)(const char*, const char*, FILE*)>
FILE* reopen(const char* path, const char* mode, FILE* file) {
  if (!Streams::is_standard(file)) return streams().reopen(path, mode, file, kCall);
  if (path == nullptr) {  // another mode, of which this system knows no difference
    fflush(file);
    return file;
  }
  report_refused("freopen of a standard stream",
                 "it is the process's, and all of its virtual ranks write there. Use fopen, and "
                 "fprintf to what it gives");
  errno = ENOSYS;
  return nullptr;
}

int set_buffer(FILE* file, char* buffer, int mode, std::size_t bytes) {
  if (!Streams::is_standard(file)) return setvbuf(file, buffer, mode, bytes);
  if (mode == _IOFBF || mode == _IOLBF || mode == _IONBF) return 0;
  errno = EINVAL;
  return -1;
}
void set_buffer_of(FILE* file, char* buffer, std::size_t bytes) {
  if (!Streams::is_standard(file)) setbuffer(file, buffer, bytes);
}
void set_plain_buffer(FILE* file, char* buffer) { set_buffer_of(file, buffer, BUFSIZ); }
void set_lines(FILE* file) {
  if (!Streams::is_standard(file)) setlinebuf(file);
}

}  // namespace

void add_stream_calls() {
  for (const char* name : {"fopen", "_IO_fopen"}) add_launcher_call(name, &open_file);
  add_launcher_call("fopen64", &open_large_file);
  for (const char* name : {"tmpfile", "tmpfile64"}) add_launcher_call(name, &open_temporary);
  add_launcher_call("fmemopen", &open_memory);
  add_launcher_call("fopencookie", &open_cookie);
  add_launcher_call("open_memstream", &open_text);
  add_launcher_call("open_wmemstream", &open_wide_text);
  for (const char* name : {"setmntent", "__setmntent"}) add_launcher_call(name, &open_mounts);
  add_launcher_call("opendir", &open_folder);
  for (const char* name : {"fdopen", "_IO_fdopen"}) add_launcher_call(name, &open_over);
  add_launcher_call("fdopendir", &open_folder_over);

  for (const char* name : {"fclose", "_IO_fclose"}) add_launcher_call(name, &close_stream);
  add_launcher_call("pclose", &close_command);
  for (const char* name : {"endmntent", "__endmntent"}) add_launcher_call(name, &close_mounts);
  add_launcher_call("closedir", &close_folder);
  add_launcher_call("fcloseall", &close_streams);
  for (const char* name : {"fflush", "_IO_fflush", "fflush_unlocked"})
    add_launcher_call(name, &flush);

  add_launcher_call("freopen", &reopen<&::freopen>);
  add_launcher_call("freopen64", &reopen<&::freopen64>);
  for (const char* name : {"setvbuf", "_IO_setvbuf"}) add_launcher_call(name, &set_buffer);
  for (const char* name : {"setbuffer", "_IO_setbuffer"}) add_launcher_call(name, &set_buffer_of);
  add_launcher_call("setbuf", &set_plain_buffer);
  add_launcher_call("setlinebuf", &set_lines);
}

}  // namespace roam::mpi
