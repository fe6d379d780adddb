#!/usr/bin/env bash
# MPI_Init replaces the program's handler of SIGUSR1, and MPI_Finalize does not give it back.
#
# With:     Debian 12, libmpich12 and libmpich-dev 4.0.2-3+b1, libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, gcc; no root, no mpiexec (one rank).
# Asked:    a handler of the program's own for each signal that can have one, set before MPI_Init; the
#           handlers are looked up after it and after MPI_Finalize. No signal is sent.
# Seen:     SIGUSR1 has another handler, which MPICH uses to hear of processes that are gone. All others
#           stay. A program that writes a checkpoint or its progress at SIGUSR1, as batch systems send it
#           before they end a job, never hears it.
# Expected: a library leaves a handler that is set, as UCX does here, or calls it after its own.
# For us:   kill -USR1 of a rank must be set up after MPI_Init.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download libmpich12=4.0.2-3+b1 libmpich-dev=4.0.2-3+b1 \
  libucx0=1.13.1-1 libhwloc15=2.9.0-1 libnuma1 libudev1) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
libraries=root/usr/lib/x86_64-linux-gnu

cat >handlers.c <<'C'
#define _GNU_SOURCE
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void own(int number) { (void)number; }

static int settable(int number) {
  return number != SIGKILL && number != SIGSTOP;
}

static void look(const char* when) {
  printf("%s, replaced:", when);
  for (int number = 1; number < 32; ++number) {
    struct sigaction now;
    if (!settable(number)) continue;
    sigaction(number, 0, &now);
    if (now.sa_handler != own) printf(" SIG%s", sigabbrev_np(number));
  }
  puts("");
}

int main(int argc, char** argv) {
  for (int number = 1; number < 32; ++number)
    if (settable(number)) signal(number, own);
  MPI_Init(&argc, &argv);
  look("after MPI_Init");
  MPI_Finalize();
  look("after MPI_Finalize");
  return 0;
}
C
gcc -O1 -I root/usr/include/x86_64-linux-gnu/mpich handlers.c \
  "$libraries"/libmpich.so.12 -Wl,--allow-shlib-undefined -o handlers || cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 60 ./handlers >seen 2>/dev/null || cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
after MPI_Init, replaced: SIGUSR1
after MPI_Finalize, replaced: SIGUSR1
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
