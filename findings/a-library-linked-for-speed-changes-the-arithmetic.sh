#!/usr/bin/env bash
# Loading a shared library that gcc linked with -ffast-math makes the whole kernel thread lose its small
# numbers: 2.3e-308 / 2 is 0 from then on, in code that was compiled without any such option.
#
# With:     Debian 12, gcc-12 12.2.0-14+deb12u1 and libgcc-12-dev of the same version (crtfastmath.o), glibc
#           2.36.
# Needs:    apt, an assembler and a linker (binutils), headers of libc (gcc installed); no root.
# Asked:    a library with one function that nobody calls, compiled with -O2 -ffast-math (-Ofast is the same),
#           opened with dlopen by a program that was compiled with -O2.
# Seen:     the library's initialiser sets "flush to zero" in the kernel thread that loads it. That one and
#           those that it makes afterwards compute 0; a kernel thread that was there before still gets
#           1.15e-308, so two workers of one program disagree. dlclose gives nothing back.
# Expected: an option of the compiler changes the code that is compiled with it.
# For us:   a thread's control words travel with it, and a new one begins with those of its spawner (decision
#           0002): a library that one thread loads changes that thread and those that it spawns later, on
#           whatever rank, and no others.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download gcc-12=12.2.0-14+deb12u1 cpp-12=12.2.0-14+deb12u1 \
  libgcc-12-dev=12.2.0-14+deb12u1 libisl23 libmpc3 libmpfr6 libgmp10) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu
compiler=root/usr/bin/x86_64-linux-gnu-gcc-12
command -v as ld >/dev/null || cannot "no assembler and linker"

cat >unused.c <<'C'
double unused(double x) { return x + 1; }
C
cat >halves.c <<'C'
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

static sem_t is_loaded;

static void halve(const char* who) {
  volatile double small = 2.3e-308;
  printf("%s: %g\n", who, small / 2);
  fflush(stdout);
}

static void* of_before(void* unused) {
  sem_wait(&is_loaded);
  halve("a kernel thread made before");
  return unused;
}

static void* of_after(void* unused) {
  halve("a kernel thread made after");
  return unused;
}

int main(void) {
  pthread_t before, after;
  sem_init(&is_loaded, 0, 0);
  pthread_create(&before, 0, of_before, 0);
  halve("before dlopen");
  void* library = dlopen("./unused.so", RTLD_NOW);
  if (library == 0) return 1;
  halve("after dlopen");
  sem_post(&is_loaded);
  pthread_join(before, 0);
  pthread_create(&after, 0, of_after, 0);
  pthread_join(after, 0);
  dlclose(library);
  halve("after dlclose");
  return 0;
}
C
"$compiler" -B root/usr/lib/gcc/x86_64-linux-gnu/12/ -O2 -ffast-math -shared -fPIC unused.c \
  -o unused.so || cannot "the library cannot be built"
"$compiler" -B root/usr/lib/gcc/x86_64-linux-gnu/12/ -O2 -pthread halves.c -o halves ||
  cannot "the program cannot be built"
./halves >seen
cat seen
cat >expected <<'TEXT'
before dlopen: 1.15e-308
after dlopen: 0
a kernel thread made before: 1.15e-308
a kernel thread made after: 0
after dlclose: 0
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
