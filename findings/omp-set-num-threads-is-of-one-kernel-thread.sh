#!/usr/bin/env bash
# omp_set_num_threads(1) in main does not hold for a kernel thread that main makes afterwards: its parallel
# regions have as many threads as the environment says.
#
# With:     Debian 12, libgomp1 12.2.0-14+deb12u1 (GNU) and libomp5-14 1:14.0.6-12 (LLVM), which agree.
# Needs:    apt, gcc; no root.
# Asked:    OMP_NUM_THREADS=3, omp_set_num_threads(1) in main, then a parallel region in main, in a kernel
#           thread of pthread_create, and in main again.
# Seen:     1 in main; 3 in the kernel thread. The number belongs to the task that set it, and a kernel
#           thread that OpenMP did not make begins with a task of its own and the first values.
# Expected: a setting of the process, or one that is handed down as the rounding mode and the signal mask.
# For us:   a program that runs OpenMP in its own kernel threads beside ours sets OMP_NUM_THREADS.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download libgomp1=12.2.0-14+deb12u1 libomp5-14=1:14.0.6-12) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done

cat >teams.c <<'C'
#include <omp.h>
#include <pthread.h>
#include <stdio.h>

static int team(void) {
  int size = 0;
#pragma omp parallel
#pragma omp atomic
  ++size;
  return size;
}

static void* in_a_kernel_thread(void* unused) {
  printf("a kernel thread made by main: %d\n", team());
  return unused;
}

int main(void) {
  omp_set_num_threads(1);
  printf("main: %d\n", team());
  pthread_t other;
  pthread_create(&other, 0, in_a_kernel_thread, 0);
  pthread_join(other, 0);
  printf("main again: %d\n", team());
  return 0;
}
C
gcc -O1 -fopenmp teams.c -pthread -o teams || cannot "no compiler with OpenMP"
gnu=$PWD/root/usr/lib/x86_64-linux-gnu llvm=$PWD/llvm
mkdir llvm
# LLVM's library has the entry points of GNU's, for programs that gcc compiled.
ln -s "$PWD"/root/usr/lib/llvm-14/lib/libomp.so.5 llvm/libgomp.so.1
for library in gnu llvm; do
  echo "$library"
  LD_LIBRARY_PATH=${!library} OMP_NUM_THREADS=3 timeout 60 ./teams || cannot "the program did not end well"
done >seen
cat seen
cat >expected <<'TEXT'
gnu
main: 1
a kernel thread made by main: 3
main again: 1
llvm
main: 1
a kernel thread made by main: 3
main again: 1
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
