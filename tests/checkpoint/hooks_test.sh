#!/usr/bin/env bash
# A hook of a restart gets memory from ranks whose hooks have ended. A hook and job data that fail
# before a checkpoint is written have it fail, with a message, and the job goes on.
#
#   hooks_test.sh MPIEXEC HOOKS
set -u
mpiexec=$(realpath "$1") hooks=$(realpath "$2")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset ROAM_NODE_RANKS ROAM_RESTART ROAM_CHECKPOINT
export ROAM_ARENA=0x300000000000,16G

fail() {
  echo "FAILED: $*"
  exit 1
}
hooks() {
  timeout $((60 * ${PATIENCE:-1})) "$mpiexec" -n "$1" "$hooks" all "${@:2}" >printed 2>said </dev/null ||
    fail "on $1 ranks: status $?: $(cat said)"
}

for nodes in 0 1; do
  export ROAM_NODE_RANKS=$nodes
  rm -rf all
  hooks 2
  for ranks in 1 3 5; do
    ROAM_RESTART=$scratch/all hooks "$ranks"
    # Those of all ranks: of a rank alone there would be fewer the more there are.
    blocks=$(sed -n "s/^restarted on $ranks ranks, \(.*\) blocks$/\1/p" printed)
    ((blocks > 16)) || fail "$ranks ranks, ROAM_NODE_RANKS=$nodes: $(cat printed said)"
    echo "ok: $ranks ranks, ROAM_NODE_RANKS=$nodes, $blocks blocks"
  done
done

# fails WHAT MESSAGE
fails() {
  rm -rf all
  hooks 2 "$1"
  grep -q "^checkpoint in '.*/all': $2" printed || fail "$1: $(cat printed said)"
  grep -q "^it went on" printed || fail "$1: $(cat printed said)"
  [[ $(cd all && echo 0*) == 00000[12] ]] || fail "$1: there are $(ls all)"
  echo "ok: $1 fails"
}
fails hook "rank 1: a hook of on_checkpoint threw int$"
fails data "job_data 'some data' threw int$"
fails large "job_data 'some data' has 681.* bytes, and all job data may have 67108864 together"
echo "hooks_test: passed"
