#!/usr/bin/env bash
# A team that balances when a checkpoint is made goes on from it on any number of ranks.
#
#   balancing_test.sh MPIEXEC BALANCING
set -u
walks=$(realpath "$(dirname "$0")/walks.sh")
mpiexec=$(realpath "$1") walk=$(realpath "$2")
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_balancing.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export TMPDIR=$work HOME=$work
export OMPI_MCA_btl_vader_backing_directory=$work OMPI_MCA_btl_sm_backing_directory=$work
# shellcheck source=tests/checkpoint/walks.sh
source "$walks"

walk 4 "$work/d" || fail "status $?: $(cat said)"
[[ $(<sorted) == "sum 336" ]] || fail "without a restart: $(<sorted)"
cp -r d kept
for ranks in 1 2 3 5 8; do
  for node_ranks in 0 1; do
    rm -rf d && cp -r kept d
    if ((node_ranks)); then export ROAM_NODE_RANKS=1; else unset ROAM_NODE_RANKS; fi
    ROAM_RESTART=$work/d walk $ranks "$work/d" || fail "on $ranks ranks: status $?: $(cat said)"
    [[ $(<sorted) == "sum 336, restarted" ]] || fail "on $ranks ranks: $(<sorted)"
  done
done
# By a strategy that has no table of members, though those who wait have told theirs to one.
unset ROAM_NODE_RANKS
for ranks in 1 4 5; do
  rm -rf d && cp -r kept d
  ROAM_BALANCE=diffusion ROAM_RESTART=$work/d walk $ranks "$work/d" ||
    fail "on $ranks ranks by diffusion: status $?: $(cat said)"
  [[ $(<sorted) == "sum 336, restarted" ]] || fail "on $ranks ranks by diffusion: $(<sorted)"
done
echo "ok: restarted on 1, 2, 3, 5 and 8 ranks, in one node and in one each, by another strategy"
