// Calls on files whose memory may be another thread's: they do not wait for others of the rank.

// The C library's checked headers define some of the functions that are defined here.
#undef _FORTIFY_SOURCE

#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>

#include "threads/kernel_reach.h"
#include "threads/wait_calls.h"

namespace {

using roam::threads::reach_for_kernel;
using roam::threads::Real;

Real<ssize_t(int, void*, std::size_t, off_t)> real_pread("pread", nullptr);
Real<ssize_t(int, void*, std::size_t, off_t, std::size_t)> real_pread_chk("__pread_chk", nullptr);
Real<ssize_t(int, const iovec*, int, off_t)> real_preadv("preadv", nullptr);
Real<ssize_t(int, const void*, std::size_t, off_t)> real_pwrite("pwrite", nullptr);
Real<ssize_t(int, const iovec*, int, off_t)> real_pwritev("pwritev", nullptr);
Real<std::size_t(void*, std::size_t, std::size_t, FILE*)> real_fread("fread", nullptr);
Real<std::size_t(void*, std::size_t, std::size_t, std::size_t, FILE*)> real_fread_chk("__fread_chk",
                                                                                      nullptr);
Real<std::size_t(const void*, std::size_t, std::size_t, FILE*)> real_fwrite("fwrite", nullptr);

[[gnu::constructor]] void find_early() {
  real_pread.prepare();
  real_pread_chk.prepare();
  real_preadv.prepare();
  real_pwrite.prepare();
  real_pwritev.prepare();
  real_fread.prepare();
  real_fread_chk.prepare();
  real_fwrite.prepare();
}

// Of a count that no memory has, nothing.
std::size_t bytes_of(std::size_t size, std::size_t count) {
  std::size_t all = 0;
  return __builtin_mul_overflow(size, count, &all) ? 0 : all;
}

}  // namespace

static_assert(sizeof(off_t) == 8, "pread and pread64 are one function");

ROAM_EXPORT ssize_t pread(int fd, void* to, std::size_t bytes, off_t at) {
  reach_for_kernel(to, bytes);
  return real_pread(fd, to, bytes, at);
}
ROAM_EXPORT ssize_t pread64(int fd, void* to, std::size_t bytes, off_t at) {
  reach_for_kernel(to, bytes);
  return real_pread(fd, to, bytes, at);
}
// The forms that compilers call where they know how large the room is.
ROAM_EXPORT ssize_t __pread_chk(int fd, void* to, std::size_t bytes, off_t at, std::size_t room) {
  reach_for_kernel(to, bytes);
  return real_pread_chk(fd, to, bytes, at, room);
}
ROAM_EXPORT ssize_t __pread64_chk(int fd, void* to, std::size_t bytes, off_t at, std::size_t room) {
  reach_for_kernel(to, bytes);
  return real_pread_chk(fd, to, bytes, at, room);
}
ROAM_EXPORT ssize_t preadv(int fd, const iovec* parts, int count, off_t at) {
  reach_for_kernel(parts, count);
  return real_preadv(fd, parts, count, at);
}
ROAM_EXPORT ssize_t preadv64(int fd, const iovec* parts, int count, off_t at) {
  reach_for_kernel(parts, count);
  return real_preadv(fd, parts, count, at);
}
ROAM_EXPORT ssize_t pwrite(int fd, const void* data, std::size_t bytes, off_t at) {
  reach_for_kernel(data, bytes);
  return real_pwrite(fd, data, bytes, at);
}
ROAM_EXPORT ssize_t pwrite64(int fd, const void* data, std::size_t bytes, off_t at) {
  reach_for_kernel(data, bytes);
  return real_pwrite(fd, data, bytes, at);
}
ROAM_EXPORT ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  reach_for_kernel(parts, count);
  return real_pwritev(fd, parts, count, at);
}
ROAM_EXPORT ssize_t pwritev64(int fd, const iovec* parts, int count, off_t at) {
  reach_for_kernel(parts, count);
  return real_pwritev(fd, parts, count, at);
}

// What is longer than the stream's buffer goes straight from and to the caller's memory.
ROAM_EXPORT std::size_t fread(void* to, std::size_t size, std::size_t count, FILE* from) {
  reach_for_kernel(to, bytes_of(size, count));
  return real_fread(to, size, count, from);
}
ROAM_EXPORT std::size_t __fread_chk(void* to, std::size_t room, std::size_t size, std::size_t count,
                                    FILE* from) {
  reach_for_kernel(to, bytes_of(size, count));
  return real_fread_chk(to, room, size, count, from);
}
ROAM_EXPORT std::size_t fwrite(const void* data, std::size_t size, std::size_t count, FILE* to) {
  reach_for_kernel(data, bytes_of(size, count));
  return real_fwrite(data, size, count, to);
}
