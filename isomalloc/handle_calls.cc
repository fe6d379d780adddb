// Handles of the process other than streams: converters, catalogs, walks through folders, timers,
// semaphores, and values that a thread gives to the kernel thread. Each pins until it is given
// back.

#include <fts.h>
#include <iconv.h>
#include <netinet/in.h>
#include <nl_types.h>
#include <pthread.h>
#include <resolv.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <threads.h>
#include <time.h>

#include "isomalloc/arena.h"
#include "isomalloc/process_call.h"

using roam::iso::closed;
using roam::iso::current_heap;
using roam::iso::Heap;
using roam::iso::HeapScope;
using roam::iso::next;
using roam::iso::opened;

namespace {

// Small numbers, told apart from pointers by their high bits.
const void* key_of(char kind, std::uintptr_t number) {
  return reinterpret_cast<const void*>(std::uintptr_t{static_cast<unsigned char>(kind)} << 56 ^
                                       number);
}
constexpr char kTimer = 't', kValue = 'v';

const void* slot_of(pthread_key_t key) {
  const std::uintptr_t of_kernel_thread = reinterpret_cast<std::uintptr_t>(&errno) & 0xffffffffffff;
  return key_of(kValue, of_kernel_thread + key * 8);
}

// Of handles whose failure is -1.
template <class T>
T opened_unless_failed(T handle, const char* what, Heap* caller) {
  if (handle != reinterpret_cast<T>(-1)) opened(handle, what, caller);
  return handle;
}

}  // namespace

ROAM_EXPORT iconv_t iconv_open(const char* to, const char* from) {
  static const auto real = next<iconv_t(const char*, const char*)>("iconv_open");
  Heap* caller = current_heap;
  HeapScope process;
  return opened_unless_failed(real(to, from), "iconv_t", caller);
}
ROAM_CLOSING_CALL(int, iconv_close, iconv_t)
ROAM_PROCESS_CALL(size_t, iconv,
                  (iconv_t converter, char** in, size_t* in_left, char** out, size_t* out_left),
                  (converter, in, in_left, out, out_left))

ROAM_EXPORT nl_catd catopen(const char* name, int flag) {
  static const auto real = next<nl_catd(const char*, int)>("catopen");
  Heap* caller = current_heap;
  HeapScope process;
  return opened_unless_failed(real(name, flag), "nl_catd", caller);
}
ROAM_CLOSING_CALL(int, catclose, nl_catd)

// A resolver's state of the caller's own, which libc notes in a table of the process.
ROAM_EXPORT int __res_ninit(res_state state) noexcept {
  static const auto real = next<int(res_state)>("__res_ninit");
  Heap* caller = current_heap;
  HeapScope process;
  closed(state);
  const int result = real(state);
  if (result == 0) opened(state, "res_state", caller);
  return result;
}
ROAM_CLOSING_CALL(void, __res_nclose, res_state)

// OpenMP's allocators: small numbers are its own, others are made.
ROAM_EXPORT std::uintptr_t omp_init_allocator(std::uintptr_t space, int count, const void* traits) {
  using Init = std::uintptr_t(std::uintptr_t, int, const void*);
  static const auto real = next<Init>("omp_init_allocator");
  Heap* caller = current_heap;
  HeapScope process;
  const std::uintptr_t made = real(space, count, traits);
  if (made > 4096) opened(reinterpret_cast<const void*>(made), "allocator of OpenMP", caller);
  return made;
}
ROAM_CLOSING_CALL(void, omp_destroy_allocator, const void*)

#define ROAM_FTS_CALLS(suffix)                                                                  \
  ROAM_OPENING_CALL(FTS##suffix, fts##suffix##_open,                                            \
                    (char* const* paths, int options,                                           \
                     int (*compare)(const FTSENT##suffix**, const FTSENT##suffix**)),           \
                    (paths, options, compare), "FTS*", )                                        \
  ROAM_CLOSING_CALL(int, fts##suffix##_close, FTS##suffix*)                                     \
  ROAM_PROCESS_CALL(FTSENT##suffix*, fts##suffix##_read, (FTS##suffix * walk), (walk))          \
  ROAM_PROCESS_CALL(FTSENT##suffix*, fts##suffix##_children, (FTS##suffix * walk, int options), \
                    (walk, options))
ROAM_FTS_CALLS()
ROAM_FTS_CALLS(64)

ROAM_EXPORT int timer_create(clockid_t clock, sigevent* event, timer_t* timer) noexcept {
  static const auto real = next<int(clockid_t, sigevent*, timer_t*)>("timer_create");
  Heap* caller = current_heap;
  HeapScope process;
  const int result = real(clock, event, timer);
  if (result == 0)
    opened(key_of(kTimer, reinterpret_cast<std::uintptr_t>(*timer)), "timer_t", caller);
  return result;
}
ROAM_EXPORT int timer_delete(timer_t timer) noexcept {
  static const auto real = next<int(timer_t)>("timer_delete");
  HeapScope process;
  closed(key_of(kTimer, reinterpret_cast<std::uintptr_t>(timer)));
  return real(timer);
}

ROAM_EXPORT sem_t* sem_open(const char* name, int flags, ...) {
  static const auto real = next<sem_t*(const char*, int, ...)>("sem_open");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);  // not looked at unless it is made
  const unsigned value = va_arg(rest, unsigned);
  va_end(rest);
  Heap* caller = current_heap;
  HeapScope process;
  sem_t* semaphore = real(name, flags, mode, value);
  return semaphore == SEM_FAILED ? semaphore : opened(semaphore, "sem_t of sem_open", caller);
}
ROAM_CLOSING_CALL(int, sem_close, sem_t*)

// A value belongs to the kernel thread. One that lies in the process's memory is the rank's, as a
// thread_local; one in a thread's own memory would stay behind as a pointer to what has left.
ROAM_EXPORT int pthread_setspecific(pthread_key_t key, const void* value) noexcept {
  static const auto real = next<int(pthread_key_t, const void*)>("pthread_setspecific");
  Heap* caller = current_heap;
  HeapScope process;
  const int result = real(key, value);
  if (result != 0 || !roam::iso::arena().ready()) return result;
  if (caller == nullptr && roam::iso::process_object_closed == nullptr) return result;
  const void* slot = slot_of(key);
  closed(slot);
  if (roam::iso::arena().contains(value)) opened(slot, "value of a pthread_key_t", caller);
  return result;
}
// The value goes with the key; libc leaves it where it was.
ROAM_EXPORT int pthread_key_delete(pthread_key_t key) noexcept {
  static const auto real = next<int(pthread_key_t)>("pthread_key_delete");
  static const auto set = next<int(pthread_key_t, const void*)>("pthread_setspecific");
  HeapScope process;
  set(key, nullptr);
  closed(slot_of(key));
  return real(key);
}
// C11's, which libc makes beside these.
ROAM_EXPORT int tss_set(tss_t key, void* value) {
  return pthread_setspecific(key, value) == 0 ? thrd_success : thrd_error;
}
ROAM_EXPORT void tss_delete(tss_t key) { pthread_key_delete(key); }
