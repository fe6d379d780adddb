#!/usr/bin/env bash
# gdb's generate-core-file allocates every hole of a shared mapping that it saves, though the program
# never touched it and may not even read it.
#
# With:     Debian 12, gdb-minimal 13.1-3; seen on Linux 6.18.
# Needs:    apt, gcc, leave to trace a process of one's own, 200 MiB of memory and of room.
# Asked:    a process maps a memfd of 64 MiB, MAP_SHARED and PROT_NONE, and touches nothing of it. Nothing
#           is allocated. gdb attaches, saves a core and detaches.
# Seen:     afterwards the memfd owns 64 MiB, in the live process, for good. A debugger reads by way of
#           the kernel past the protection, and a read of a hole of shared memory allocates the page;
#           where memory is private the kernel lends its page of zeros and nothing is allocated.
# Expected: looking at a process does not make it larger. One that reserves terabytes is killed by it.
# For us:   the arena is left out of cores (MADV_DONTDUMP), and what exists is put in by name.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
target=
trap '[[ -z $target ]] || kill "$target" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
# With the libraries that it needs and that are not installed.
missing() {
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances gdb-minimal | grep '^[a-z]' | grep -v '^gdb-minimal' | while read -r package; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed' || echo "$package"
  done
}
(cd packages && apt-get download gdb-minimal=13.1-3 $(missing)) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
libraries=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu

cat >sparse.c <<'C'
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t bytes = 64 << 20;

static void tell(const char* when, const char* kind, int file) {
  struct stat now;
  fstat(file, &now);
  printf("%s %s: %lld MiB\n", kind, when, (long long)now.st_blocks * 512 >> 20);
  fflush(stdout);
}

int main(void) {
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  const int shared = memfd_create("shared", 0);
  if (ftruncate(shared, bytes) != 0) return 1;
  if (mmap(0, bytes, PROT_NONE, MAP_SHARED, shared, 0) == MAP_FAILED) return 1;
  sigset_t go_on;
  sigemptyset(&go_on);
  sigaddset(&go_on, SIGUSR1);
  sigprocmask(SIG_BLOCK, &go_on, 0);
  tell("before", "shared", shared);
  int which;
  sigwait(&go_on, &which);
  tell("after", "shared", shared);
  return 0;
}
C
gcc -O1 sparse.c -o sparse || cannot "no compiler"
./sparse >seen &
target=$!
for ((i = 0; i < 100; ++i)); do [[ -s seen ]] && break || sleep 0.1; done
LD_LIBRARY_PATH=$libraries timeout 100 root/usr/bin/gdb -nx -batch -p "$target" \
  -ex 'generate-core-file saved.core' >said 2>&1 || true
grep -q '^Saved corefile' said || cannot "gdb could not save a core here: $(tail -1 said)"
kill -USR1 "$target"
wait "$target" || cannot "the program did not end well"
target=
cat seen
cat >expected <<'TEXT'
shared before: 0 MiB
shared after: 64 MiB
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
