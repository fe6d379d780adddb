#!/usr/bin/env bash
# A second job whose checkpoints are in the same folder leaves alone what keepers have of the first:
# one that ends before it has made any, and one that makes some.
#
#   two_jobs_test.sh MPIEXEC DISK KEEPER
set -u
processes=$(realpath "$(dirname "$0")/processes.sh")
mpiexec=$(realpath "$1") program=$(realpath "$2")
ROAM_KEEPER=$(realpath "$3")
export ROAM_KEEPER
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_two.XXXXXX")
# shellcheck source=tests/checkpoint/processes.sh
source "$processes"
trap 'kill -9 $(ranks_of) 2>/dev/null; end_all' EXIT
cd "$work" || exit 1
unset ROAM_NODE_RANKS ROAM_RESTART ROAM_CHECKPOINT
patience=${PATIENCE:-1}

fail() {
  echo "two_jobs_test: FAILED: $*"
  tail -n 20 said.* d/keepers
  exit 1
}
job() { # NAME EVERY SECONDS...
  rm -f "d/record.$1"*
  ROAM_RECORD=$work/d/record.$1 ROAM_CHECKPOINT=$work/d,every=$2,memory=on,disk=0 \
    timeout $((200 * patience)) "$mpiexec" -n 2 "$program" "${@:3}" >"printed.$1" 2>"said.$1" </dev/null
}
noted() { [[ $(<d/keepers) == *" $1" ]]; }
names() { # NUMBER: the folder had so many names of keepers that have a checkpoint
  ! noted 1 || cut -c -16 d/keepers >>names
  (($(sort -u names | wc -l) == $1))
}

# The first was killed, and waits to be started again.
mkdir d
job first 1s $((15 * patience)) none 0 4 && fail "it was to be killed"
noted 1 || fail "nothing is in memory"
job second 1h 0 || fail "the second: status $?"
noted 1 || fail "the second job has taken back what the first has noted"
[[ -n $(keepers) ]] || fail "the second job has ended keepers of the first"
ROAM_RESTART=$work/d job again 1h 1 || fail "restart"
[[ $(<d/record.again.from) == "checkpoint 000003, from memory" ]] || fail "$(<d/record.again.from)"
soon none_left || fail "keepers are left after the job"
noted 0 || fail "it is not taken back that there are any"
echo "ok: a second job that makes none"

# The first runs, while the second makes one, and ends first.
: >names
job first 1s $((15 * patience)) &
first=$!
soon names 1 || fail "the first makes none in memory"
mapfile -t held < <(keepers)
job second 1s $((30 * patience)) &
soon names 2 || fail "the second makes none in memory"
sleep 2
for pid in "${held[@]}"; do kill -0 "$pid" || fail "the second job has ended keepers of the first"; done
wait $first || fail "the first: status $?"
noted 1 || fail "the first job has taken back what the second has noted"
! grep -q "keeper of checkpoints" said.first || fail "the first has lost its keeper"
kill -9 $(ranks_of)
wait
ROAM_RESTART=$work/d job again 1h 1 || fail "restart"
grep -q "^checkpoint 0.*, from memory" d/record.again.from || fail "$(<d/record.again.from)"
soon none_left || fail "keepers are left after the job"
echo "ok: a second job that makes some"
echo "two_jobs_test: passed"
