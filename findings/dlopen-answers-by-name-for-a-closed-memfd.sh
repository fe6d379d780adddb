#!/usr/bin/env bash
# dlopen("/proc/self/fd/N") of a library in a memfd gives an earlier library, if that lay in a memfd of the
# same number: it answers by the name and does not look at the file.
#
# With:     Debian 12, glibc 2.36 of the release (no package is fetched: the libraries are made here).
# Needs:    gcc.
# Asked:    one library is written into a memfd, opened through /proc/self/fd, and the descriptor closed,
#           which is allowed since the library is mapped. A second library, then, in the same way: the
#           kernel gives it the same descriptor.
# Seen:     the second dlopen succeeds and returns the first library. Its functions are the first's.
#           fdlopen is what other systems have for this; glibc has none.
# Expected: the file decides, as it does for two names of one file (device and inode are compared), or an
#           error.
# For us:   a loader of our own never goes through dlopen with a name that can come again.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for number in 1 2; do
  echo "int number(void) { return $number; }" >"library_$number.c"
  gcc -O1 -shared -fPIC "library_$number.c" -o "library_$number.so" || cannot "no compiler"
done
cat >twice.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int in_memory(const char* path) {
  struct stat size;
  const int from = open(path, O_RDONLY), to = memfd_create("library", 0);
  fstat(from, &size);
  if (sendfile(to, from, 0, size.st_size) != size.st_size) _exit(1);
  close(from);
  return to;
}

int main(void) {
  const char* paths[] = {"./library_1.so", "./library_2.so"};
  for (int keep = 0; keep <= 1; ++keep) {
    for (int i = 0; i < 2; ++i) {
      char name[64];
      const int file = in_memory(paths[i]);
      snprintf(name, sizeof name, keep ? "/proc/self/fd/../fd/%d" : "/proc/self/fd/%d", file);
      void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (library == 0) return 1;
      printf("descriptor %s, library %d: the function returns %d\n", keep ? "kept" : "closed", i + 1,
             ((int (*)(void))dlsym(library, "number"))());
      if (!keep) close(file);
    }
  }
  return 0;
}
C
gcc -O1 twice.c -o twice || cannot "no compiler"
./twice >seen || cannot "libraries cannot be opened through /proc here"
cat seen
cat >expected <<'TEXT'
descriptor closed, library 1: the function returns 1
descriptor closed, library 2: the function returns 1
descriptor kept, library 1: the function returns 1
descriptor kept, library 2: the function returns 2
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
