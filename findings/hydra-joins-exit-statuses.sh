#!/usr/bin/env bash
# MPICH's mpiexec answers with the exit statuses of all ranks joined bit by bit: 3 and 5 make 7.
#
# With:     Debian 12, mpich 4.0.2-3+b1 (mpiexec.hydra and its proxy), libhwloc15 2.9.0-1.
# Needs:    apt; no root, no compiler, no MPI program: the ranks are shells.
# Asked:    two ranks that end with statuses of their own.
# Seen:     3 and 5 give 7; 1 and 2 give 3; 4 and 8 give 12: a status that no rank ended with. One rank
#           alone keeps its own.
# Expected: the first, the greatest or the lowest status, as shells, make and batch systems have it.
# For us:   a job that ends with a status of its own (exit(n) in a thread, an escaped exception) must end
#           with the same one on every rank, or with 0 on all but one.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download mpich=4.0.2-3+b1 libhwloc15=2.9.0-1 libudev1 libcap2 \
  libslurm38) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
libraries=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu

# The status of a job whose ranks end with those given.
job() {
  local words=() status
  for status in "$@"; do words+=(: -n 1 sh -c "exit $status"); done
  status=0
  LD_LIBRARY_PATH=$libraries timeout 30 root/usr/bin/mpiexec.hydra -launcher fork "${words[@]:1}" \
    >/dev/null 2>&1 </dev/null || status=$?
  echo "$* -> $status"
}
{ job 3; job 1 2; job 3 5; job 5 3; job 4 8; job 0 6; } >seen
cat seen
cat >expected <<'TEXT'
3 -> 3
1 2 -> 3
3 5 -> 7
5 3 -> 7
4 8 -> 12
0 6 -> 6
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
