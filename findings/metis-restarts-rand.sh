#!/usr/bin/env bash
# METIS seeds the program's rand(): after each call its random numbers are the same again, whatever
# seed it had set.
#
# With:     Debian 12, libmetis5 and libmetis-dev 5.1.0.dfsg-7.
# Needs:    apt, gcc; no root.
# Asked:    srand with two seeds, a chain of four vertices cut in two with default options, then rand().
# Seen:     without METIS the two seeds give different numbers, with METIS between the same. A simulation
#           that partitions anew every few steps draws the same numbers after each partitioning.
# Expected: a generator of the library's own: rand() belongs to the program.
# For us:   a fault of ours too, mended: a balancer that cuts the graph of messages puts a state of its
#           own beneath rand() for as long as METIS runs (runtime/balance/graph.cc).
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download libmetis5=5.1.0.dfsg-7 libmetis-dev=5.1.0.dfsg-7) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
libraries=root/usr/lib/x86_64-linux-gnu

cat >seeds.c <<'C'
#include <metis.h>
#include <stdio.h>
#include <stdlib.h>

static int draw(unsigned seed, int with_metis) {
  idx_t begin[] = {0, 1, 3, 5, 6}, neighbours[] = {1, 0, 2, 1, 3, 2};
  idx_t vertices = 4, constraints = 1, parts = 2, cost, part[4];
  srand(seed);
  if (with_metis)
    METIS_PartGraphKway(&vertices, &constraints, begin, neighbours, 0, 0, 0, &parts, 0, 0, 0, &cost,
                        part);
  return rand();
}

int main(void) {
  for (int with = 0; with <= 1; ++with)
    printf("two seeds, METIS %s: %s number\n", with ? "between" : "not called",
           draw(1, with) == draw(2, with) ? "the same" : "a different");
  return 0;
}
C
gcc -O1 -I root/usr/include seeds.c "$libraries"/libmetis.so.5 -o seeds || cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 60 ./seeds >seen || cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
two seeds, METIS not called: a different number
two seeds, METIS between: the same number
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
