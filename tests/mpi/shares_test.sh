#!/usr/bin/env bash
# A checkpoint of virtual ranks that have a shared window goes on wherever they are on one node. Where
# they are not, an access is refused and explained, and nothing is printed.
#
#   shares_test.sh ROAM_MPI MPIEXEC SOURCE
set -u
roam_mpi=$(realpath "$1") mpiexec=$(realpath "$2") source=$(realpath "$3")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
cd "$scratch" || exit 1
unset ROAM_NODE_RANKS ROAM_RESTART ROAM_CHECKPOINT

fail() {
  echo "FAILED: $*"
  tail -n 20 printed said
  exit 1
}
mpicc.mpich -w -O2 -o program "$source" || fail "it cannot be compiled"
run() { # RANKS: 4 virtual ranks
  timeout $((100 * ${PATIENCE:-1})) "$mpiexec" -n "$1" "$roam_mpi" -n 4 --balance=off ./program "$rounds" \
    >printed 2>said </dev/null
}
right() {
  sort printed >seen
  diff wanted seen >differs || fail "$1: $(cat differs)"
  echo "ok: $1"
}

for rounds in 150 600 2400; do
  rm -rf all
  run 2 || fail "without checkpoints"
  sort printed >wanted
  (($(grep -c ' has read [0-9a-f]*$' wanted) == 4)) || fail "without checkpoints"
  ROAM_CHECKPOINT=all,every=1s,keep=99 run 2 || fail "with checkpoints"
  right "$rounds rounds, with checkpoints"
  [[ ! -e all/000001/manifest ]] || break
done
[[ -e all/000001/manifest ]] || fail "there is no checkpoint"
find all -mindepth 1 -maxdepth 1 -name '0*' ! -name 000001 -exec rm -rf {} +

for ranks in 1 2 3 5; do
  ROAM_RESTART=all run $ranks || fail "restart on $ranks ranks"
  right "restart on $ranks ranks of one node"
done
ROAM_RESTART=all ROAM_NODE_RANKS=2 run 4 || fail "restart on two nodes"
right "restart on two nodes, of which the first has all"
ROAM_RESTART=all ROAM_NODE_RANKS=1 run 1 || fail "restart on a node of one rank"
right "restart on a node of one rank"
for ranks in 2 3; do
  ROAM_RESTART=all ROAM_NODE_RANKS=1 run $ranks && fail "restart on $ranks nodes"
  ! grep -q 'has read' printed || fail "it goes on without its window"
  grep -q 'access to 0x[0-9a-f]*: .*on this node.*A pointer into another thread.s memory is valid while both are on one node' \
    said || fail "it is not explained"
  echo "ok: refused on $ranks nodes"
done
echo "shares_test: passed"
