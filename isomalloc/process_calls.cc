// Calls of libc whose memory belongs to the process although a thread makes them: what they
// allocate must not be in the thread's heap, since it would leave with the thread. Each is passed
// on with the capture off. What they open and the caller must close (FILE*, DIR*, locale_t) pins
// the thread until it is closed.

#include <cxxabi.h>
#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include <cerrno>
#include <cstring>
#include <locale>
#include <mutex>
#include <unordered_map>

#include "base/lock.h"
#include "isomalloc/library_slots.h"
#include "isomalloc/locale_layout.h"
#include "isomalloc/process_call.h"

namespace roam::iso {

ProcessHooks process_hooks;
void (*process_object_closed)(const void*) = nullptr;

namespace {

// A FILE's buffer is made at its first use, wherever that is: make it now, in the process's memory.
FILE* with_buffer(FILE* file) {
  if (file != nullptr && __fbufsize(file) == 0 && !__flbf(file)) {
    const int error = errno;
    setvbuf(file, nullptr, _IOFBF, BUFSIZ);
    errno = error;
  }
  return file;
}

void buffer_standard_stream(FILE* stream) {
  if (__fbufsize(stream) != 0) return;
  const bool line = isatty(fileno(stream)) != 0;
  setvbuf(stream, nullptr, _IOFBF, 0);  // makes the buffer, of the file's own block size
  if (line) setvbuf(stream, nullptr, _IOLBF, 0);
}

}  // namespace

// libstdc++ counts references to the facets of the classic locale in each process; a stream made on
// one rank and ended on another leaves one too few, until a facet that was never allocated is
// deleted. So they start from far above zero.
void hold_classic_locale() {
  struct Facet {  // as std::locale::facet begins
    void* vtable;
    int references;
  };
  LocaleImpl* impl = impl_of(std::locale::classic());
  __atomic_fetch_add(&impl->references, kManyReferences, __ATOMIC_RELAXED);
  const auto hold = [](const std::locale::facet* one) {
    const Facet* facet = reinterpret_cast<const Facet*>(one);
    // A facet may be listed twice, once for each of libstdc++'s string types.
    if (facet != nullptr && facet->references < kManyReferences)
      __atomic_fetch_add(&const_cast<Facet*>(facet)->references, kManyReferences, __ATOMIC_RELAXED);
  };
  for (std::size_t i = 0; i < impl->count; ++i) {
    hold(impl->facets[i]);
    hold(impl->caches[i]);
  }
}

void warm_up_process_state() {
  HeapScope process;
  hold_classic_locale();
  load_conversions();
  buffer_standard_stream(stdin);
  buffer_standard_stream(stdout);
  tzset();
  const time_t now = 0;
  tm broken_down;
  localtime_r(&now, &broken_down);
  localtime(&now);
  void* frame;
  backtrace(&frame, 1);  // libc loads the unwinder, which cancellation and pthread_exit use too
  try {
    throw 0;  // the unwinder's own tables
  } catch (int) {
  }
}

}  // namespace roam::iso

using roam::iso::closed;
using roam::iso::current_heap;
using roam::iso::Heap;
using roam::iso::HeapScope;
using roam::iso::next;
using roam::iso::opened;
using roam::iso::with_buffer;

ROAM_OPENING_CALL(FILE, fopen, (const char* path, const char* mode), (path, mode), "FILE*",
                  with_buffer)
ROAM_OPENING_CALL(FILE, fopen64, (const char* path, const char* mode), (path, mode), "FILE*",
                  with_buffer)
ROAM_OPENING_CALL(FILE, fdopen, (int fd, const char* mode), (fd, mode), "FILE*", with_buffer)
ROAM_OPENING_CALL(FILE, tmpfile, (), (), "FILE*", with_buffer)
ROAM_OPENING_CALL(FILE, tmpfile64, (), (), "FILE*", with_buffer)
ROAM_OPENING_CALL(FILE, popen, (const char* command, const char* mode), (command, mode), "FILE*",
                  with_buffer)
ROAM_OPENING_CALL(FILE, fmemopen, (void* buffer, size_t bytes, const char* mode),
                  (buffer, bytes, mode), "FILE*", with_buffer)
ROAM_OPENING_CALL(FILE, fopencookie, (void* cookie, const char* mode, cookie_io_functions_t calls),
                  (cookie, mode, calls), "FILE*", with_buffer)
ROAM_OPENING_CALL(DIR, opendir, (const char* path), (path), "DIR*", )
ROAM_OPENING_CALL(DIR, fdopendir, (int fd), (fd), "DIR*", )

// What open_memstream wrote is the caller's, who frees it: at fclose it moves to the caller's heap.
namespace {
struct MemoryStream {
  void** buffer;
  size_t* count;  // of characters
  size_t character_bytes;
};
roam::Lock memory_streams_lock;
[[gnu::constructor(102)]] void keep_memory_streams_over_fork() {
  roam::keep_over_fork<memory_streams_lock>();
}
// Never destroyed: destructors of the program's statics may close some.
std::unordered_map<FILE*, MemoryStream>& memory_streams() {
  static auto& streams = *new std::unordered_map<FILE*, MemoryStream>;
  return streams;
}
// It is closed next; its address may be another's then.
MemoryStream take_memory_stream(FILE* file) {
  const std::lock_guard lock(memory_streams_lock);
  const auto taken = memory_streams().extract(file);
  return taken ? taken.mapped() : MemoryStream{};
}
// `keeps`: libc may use its own yet.
void give(const MemoryStream& stream, Heap* caller, bool keeps) {
  if (stream.buffer == nullptr || caller == nullptr || *stream.buffer == nullptr) return;
  const size_t bytes = (*stream.count + 1) * stream.character_bytes;
  void* copy = caller->allocate(bytes);
  if (copy == nullptr) return;
  std::memcpy(copy, *stream.buffer, bytes);
  if (!keeps) free(*stream.buffer);
  *stream.buffer = copy;
}
}  // namespace

#define ROAM_MEMORY_STREAM(name, type)                                                  \
  ROAM_EXPORT FILE* name(type** buffer, size_t* count) {                                \
    static const auto real = next<FILE*(type**, size_t*)>(#name);                       \
    Heap* caller = current_heap;                                                        \
    HeapScope process;                                                                  \
    FILE* file = opened(real(buffer, count), "FILE*", caller);                          \
    if (file != nullptr && caller != nullptr) {                                         \
      const std::lock_guard lock(memory_streams_lock);                                  \
      memory_streams()[file] = {reinterpret_cast<void**>(buffer), count, sizeof(type)}; \
    }                                                                                   \
    return file;                                                                        \
  }
ROAM_MEMORY_STREAM(open_memstream, char)
ROAM_MEMORY_STREAM(open_wmemstream, wchar_t)

ROAM_EXPORT int fclose(FILE* file) {
  static const auto real = next<int(FILE*)>("fclose");
  Heap* caller = current_heap;
  HeapScope process;
  closed(file);
  const MemoryStream stream = take_memory_stream(file);
  const int result = real(file);
  give(stream, caller, false);
  return result;
}

ROAM_CLOSING_CALL(int, pclose, FILE*)
ROAM_CLOSING_CALL(int, closedir, DIR*)

// A stream that cannot be opened again is closed.
#define ROAM_REOPENING_CALL(name)                                                 \
  ROAM_EXPORT FILE* name(const char* path, const char* mode, FILE* file) {        \
    static const auto real = next<FILE*(const char*, const char*, FILE*)>(#name); \
    Heap* caller = current_heap;                                                  \
    HeapScope process;                                                            \
    const MemoryStream stream = take_memory_stream(file);                         \
    FILE* again = real(path, mode, file);                                         \
    give(stream, caller, again == nullptr);                                       \
    if (again == nullptr) closed(file);                                           \
    return again;                                                                 \
  }
ROAM_REOPENING_CALL(freopen)
ROAM_REOPENING_CALL(freopen64)
ROAM_PROCESS_CALL(int, setenv, (const char* name, const char* value, int replace),
                  (name, value, replace))
ROAM_PROCESS_CALL(int, unsetenv, (const char* name), (name))
ROAM_PROCESS_CALL(int, clearenv, (), ())
ROAM_PROCESS_CALL(void, tzset, (), ())
ROAM_PROCESS_CALL(tm*, localtime, (const time_t* t), (t))
ROAM_PROCESS_CALL(tm*, localtime_r, (const time_t* t, tm* result), (t, result))
ROAM_PROCESS_CALL(time_t, mktime, (tm * t), (t))
ROAM_PROCESS_CALL(size_t, strftime, (char* s, size_t n, const char* format, const tm* t),
                  (s, n, format, t))
ROAM_PROCESS_CALL(char*, strerror, (int error), (error))
ROAM_PROCESS_CALL(char*, strerror_l, (int error, locale_t locale), (error, locale))
ROAM_PROCESS_CALL(char*, strsignal, (int signal), (signal))
ROAM_PROCESS_CALL(int, __cxa_atexit, (void (*f)(void*), void* argument, void* module),
                  (f, argument, module))
ROAM_PROCESS_CALL(int, __cxa_thread_atexit_impl, (void (*f)(void*), void* argument, void* module),
                  (f, argument, module))

// putenv keeps the caller's text: a thread's would leave with it.
ROAM_EXPORT int putenv(char* text) {
  static const auto real = next<int(char*)>("putenv");
  Heap* caller = current_heap;
  HeapScope process;
  if (caller == nullptr) return real(text);
  char* copy = strdup(text);
  return copy != nullptr ? real(copy) : -1;
}
