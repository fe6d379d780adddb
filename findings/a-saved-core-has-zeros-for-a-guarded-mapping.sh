#!/usr/bin/env bash
# gdb's generate-core-file saves zeros for all of a mapping that has one guard page in it, and says
# "Saved corefile".
#
# With:     Debian 12, gdb-minimal 13.1-3; Linux 6.13 or later (guard pages of madvise).
# Needs:    apt, gcc, leave to trace a process of one's own.
# Asked:    1 MiB of private memory, all of it written with 'x'; its second page is made a guard with
#           madvise(MADV_GUARD_INSTALL), as allocators and runtimes do for stacks. gdb saves a core.
# Seen:     "Saved corefile", status 0, no word of the mapping. In the core its bytes are zeros, those
#           before the guard and those half a MiB behind it, where the process has 'x'. The kernel's own
#           core of the same process is right.
# Expected: the page that cannot be read is left out, or gdb says what it could not save.
# For us:   roam threads and roam bt tell of a core whether the control blocks are in it.
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
debugger() { LD_LIBRARY_PATH=$libraries timeout 60 root/usr/bin/gdb -nx -batch "$@"; }

cat >guarded.c <<'C'
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { kPage = 4096, kBytes = 1 << 20, kGuardInstall = 102 };
char* guarded;
char* plain;

static char* written(void) {
  char* area = mmap(0, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(area, 'x', kBytes);
  return area;
}

int main(void) {
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  // One that nothing can merge with the other: a page of no access follows each.
  plain = written();
  mprotect(plain + kBytes - kPage, kPage, PROT_NONE);
  guarded = written();
  mprotect(guarded + kBytes - kPage, kPage, PROT_NONE);
  if (madvise(guarded + kPage, kPage, kGuardInstall) != 0) return 1;
  puts("ready");
  fflush(stdout);
  pause();
  return 0;
}
C
gcc -O0 -g guarded.c -o guarded || cannot "no compiler"
./guarded >ready &
target=$!
for ((i = 0; i < 100; ++i)); do
  [[ -s ready ]] && break
  kill -0 "$target" 2>/dev/null || { target=; cannot "this kernel has no guard pages of madvise"; }
  sleep 0.1
done
debugger -p "$target" -ex 'generate-core-file saved.core' >said 2>&1 || true
grep -o '^Saved corefile' said >seen || cannot "gdb could not save a core here: $(tail -1 said)"
debugger -ex 'printf "without a guard: %d\n", plain[8192]' \
  -ex 'printf "before the guard: %d\n", guarded[0]' \
  -ex 'printf "behind the guard: %d\n", guarded[524288]' ./guarded saved.core 2>&1 | grep ': ' |
  grep guard: >>seen || true
cat seen
cat >expected <<'TEXT'
Saved corefile
without a guard: 120
before the guard: 0
behind the guard: 0
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
