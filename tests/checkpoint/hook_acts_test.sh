#!/usr/bin/env bash
# What a hook of on_checkpoint sets going is in the checkpoint: a thread that may leave its rank now,
# one that is woken, new ones. What would send a message refuses it by name.
#
#   hook_acts_test.sh MPIEXEC HOOK_ACTS
set -u
mpiexec=$(realpath "$1") acts=$(realpath "$2")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset ROAM_NODE_RANKS ROAM_RESTART ROAM_CHECKPOINT

fail() {
  echo "FAILED: $*"
  exit 1
}
acts() {
  timeout $((60 * ${PATIENCE:-1})) "$mpiexec" -n "$1" "$acts" all >printed 2>said </dev/null ||
    fail "on $1 ranks: status $?: $(cat said printed)"
  sort printed >sorted
}
# expected RANKS: what a job of so many ranks prints, and a restart of it.
expected() {
  for ((r = 0; r < $1; ++r)); do
    echo "the one that leaves rank $r has all it had: 1"
    echo "the one that waits on rank $r gets $((1000 + r))"
    for ((to = 0; to < $1; ++to)); do echo "one of the hook's of rank $r for rank $to: $r"; done
  done | sort
}
for ranks in 3 1 5; do
  expected $ranks >wanted
  for nodes in 1 0 2; do
    rm -rf all
    ROAM_NODE_RANKS=$nodes acts $ranks
    grep -q '^made$' said || fail "no checkpoint: $(cat said)"
    ! grep -q 'refused\|;' said || fail "$(cat said)"
    diff wanted sorted || fail "$ranks ranks, ROAM_NODE_RANKS=$nodes: $(cat said)"
    for again in 1 2 5; do
      ROAM_NODE_RANKS=$(((again + nodes) % 3)) ROAM_RESTART=all acts $again
      grep -q '^goes on$' said || fail "no restart: $(cat said)"
      diff wanted sorted || fail "restart of $ranks ranks, ROAM_NODE_RANKS=$nodes, on $again: $(cat said)"
      [[ -e all/000002 ]] && fail "another checkpoint is there"
    done
    echo "ok: $ranks ranks, ROAM_NODE_RANKS=$nodes, and restarts of it"
  done
done
echo "hook_acts_test: passed"
