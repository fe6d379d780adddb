#!/usr/bin/env bash
# A checkpoint in memory, of which the next node's keeper has a copy, is made of a job whose ranks
# are busy sending all the time.
#
#   busy_test.sh MPIEXEC BUSY KEEPER
set -u
processes=$(realpath "$(dirname "$0")/processes.sh")
mpiexec=$(realpath "$1") program=$(realpath "$2")
ROAM_KEEPER=$(realpath "$3")
export ROAM_KEEPER
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_busy.XXXXXX")
# shellcheck source=tests/checkpoint/processes.sh
source "$processes"
trap end_all EXIT
cd "$work" || exit 1
unset ROAM_RESTART
seconds=$((40 * ${PATIENCE:-1}))
ROAM_NODE_RANKS=1 ROAM_CHECKPOINT=$work/d,every=1s,memory=on timeout $((2 * seconds)) \
  "$mpiexec" -n 2 "$program" "$work/d" $seconds >said 2>&1 </dev/null || {
  echo "busy_test: FAILED: $(cat said)"
  exit 1
}
echo "busy_test: passed after $SECONDS s"
