#!/usr/bin/env bash
# Each survive case, in the middle of what it does, while a checkpoint is made; and again in a job
# that is started from the checkpoint of one that was killed, on as many ranks, fewer and more.
#
#   restart_test.sh MPIEXEC SURVIVE
set -u
mpiexec=$(realpath "$1") survive=$(realpath "$2")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset ROAM_NODE_RANKS ROAM_RESTART ROAM_CHECKPOINT

fail() {
  echo "FAILED: $*"
  tail -n 30 printed said
  exit 1
}
# survive RANKS ARGUMENTS...
survive() {
  timeout $((100 * ${PATIENCE:-1})) "$mpiexec" -n "$1" "$survive" --folder="$scratch/all" "${@:2}" \
    >printed 2>said </dev/null
}

# Each makes its own, which takes a disk its time: some of each kind.
survive 3 --modes=checkpoint --cases=list,exception,coroutine,lua_,stream_,malloc_,errno ||
  fail "checkpoint"
echo "ok: checkpoint: $(tail -n 1 printed)"

# What a static variable of the process refers to is not in a checkpoint; the other spawns a thread
# where it began, on a rank that may be no more.
without=--without=static_that_grows_under_a_system_heap,
without+=static_reached_first_in_a_thread_that_then_moves
# Ranks and nodes of the job that is killed, then of the one that goes on.
for how in "4 0 4 0" "4 0 3 0" "2 0 5 0" "1 0 2 1" "3 1 3 1" "3 1 2 1"; do
  read -r ranks nodes ranks_then nodes_then <<<"$how"
  rm -rf all
  ROAM_NODE_RANKS=$nodes survive "$ranks" --at-once --modes=restart $without
  grep -q "cases wait, and the job is killed" printed || fail "$how: it did not come to its end"
  ROAM_RESTART=$scratch/all ROAM_NODE_RANKS=$nodes_then \
    survive "$ranks_then" --at-once --modes=restart $without || fail "$how"
  grep -q "^survive: [1-9][0-9]* ran, 0 failed" printed || fail "$how: $(tail -n 1 printed)"
  echo "ok: restart, $how: $(tail -n 1 printed)"
done
echo "restart_test: passed"
