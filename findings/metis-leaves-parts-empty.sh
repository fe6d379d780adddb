#!/usr/bin/env bash
# METIS_PartGraphKway leaves more than half of the parts empty, puts four times the mean into others,
# and reports METIS_OK.
#
# With:     Debian 12, libmetis5 and libmetis-dev 5.1.0.dfsg-7.
# Needs:    apt, gcc; no root.
# Asked:    a grid of 8 x 8 vertices, each of weight 1, into 64 parts; and 16 x 16 into 200. Default
#           options, so an imbalance of 1.03 is asked for. Recursive bisection beside it.
# Seen:     METIS_PartGraphKway: METIS_OK, 44 of 64 parts empty, up to 4 vertices in one; of 200 parts
#           103 are empty. METIS_PartGraphRecursive, the same call but for its name: 2 and 2.
# Expected: one vertex a part, which is the only balanced answer; or a status that is not METIS_OK.
# For us:   METIS is asked only where each part has four vertices or more in the mean
#           (balance::can_cut); below that another strategy makes the plan.
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

cat >grid.c <<'C'
#include <metis.h>
#include <stdio.h>

static idx_t begin[1025], neighbours[4096], part[1024];

static void cut(const char* name, int kway, idx_t side, idx_t parts) {
  idx_t vertices = side * side, constraints = 1, edges = 0, cost = 0, held[1024] = {0};
  for (idx_t v = 0; v < vertices; ++v) {
    begin[v] = edges;
    if (v >= side) neighbours[edges++] = v - side;
    if (v % side > 0) neighbours[edges++] = v - 1;
    if (v % side < side - 1) neighbours[edges++] = v + 1;
    if (v < vertices - side) neighbours[edges++] = v + side;
  }
  begin[vertices] = edges;
  const int status = (kway ? METIS_PartGraphKway : METIS_PartGraphRecursive)(
      &vertices, &constraints, begin, neighbours, 0, 0, 0, &parts, 0, 0, 0, &cost, part);
  for (idx_t v = 0; v < vertices; ++v) ++held[part[v]];
  int empty = 0, most = 0;
  for (idx_t p = 0; p < parts; ++p) {
    empty += held[p] == 0;
    if (held[p] > most) most = held[p];
  }
  printf("%s, %d vertices into %d parts: %s, %d empty, at most %d\n", name, (int)vertices,
         (int)parts, status == METIS_OK ? "METIS_OK" : "an error", empty, most);
}

int main(void) {
  cut("recursive", 0, 8, 64);
  cut("k-way", 1, 8, 64);
  cut("recursive", 0, 16, 200);
  cut("k-way", 1, 16, 200);
  return 0;
}
C
gcc -O1 -I root/usr/include grid.c "$libraries"/libmetis.so.5 -o grid || cannot "no compiler"
LD_LIBRARY_PATH=$libraries timeout 60 ./grid >seen || cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
recursive, 64 vertices into 64 parts: METIS_OK, 2 empty, at most 2
k-way, 64 vertices into 64 parts: METIS_OK, 44 empty, at most 4
recursive, 256 vertices into 200 parts: METIS_OK, 2 empty, at most 3
k-way, 256 vertices into 200 parts: METIS_OK, 103 empty, at most 3
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
