#!/usr/bin/env bash
# Runs a program under tools/mpiexec and judges how it ended. tests/defs.bzl writes the arguments; at
# the top of the tree.
#
#   rank_test.sh [--ranks N] [--timeout SECONDS] [--expect ok|fail|STATUS|signal:N]
#                [--expect_output TEXT_OR_REGEX] [--env NAME=VALUE]... [--mpiexec PROGRAM]
#                PROGRAM [ARGUMENT]...
#
# A rank that ends by signal N makes a status of N with MPICH's launcher, of 128 + N with Open MPI's.
# With --ranks 0 the program is started without a launcher.
# PATIENCE=N in the environment makes the limit of time N times as long (.bazelrc, --config=patient).
# With --mpiexec, a run that prints "SKIPPED: why" and exits with 0 passes whatever was expected.
# A run that hangs is asked with SIGUSR1 what its ranks wait for, then killed, and the test fails.
# A run whose launcher itself gave up, as MPICH's does at times when a rank is killed ("assert
# (!closed) failed", 4.0.2), tells nothing about its ranks: it is made again, three times in all.
# No process of the run is left behind, however it ends.
set -u
ulimit -c 0  # what is to die leaves nothing behind

ranks=4
timeout_s=$((120 * ${PATIENCE:-1}))
expect=ok
expect_output=
assignments=()
own_mpiexec=
while [[ ${1-} == --* ]]; do
  case $1 in
    --ranks) ranks=$2 ;;
    --timeout) timeout_s=$(($2 * ${PATIENCE:-1})) ;;
    --expect) expect=$2 ;;
    --expect_output) expect_output=$2 ;;
    --mpiexec) own_mpiexec=$2 ;;
    --env) assignments+=("$2") ;;
    *) echo "rank_test: no such option: $1" >&2; exit 2 ;;
  esac
  shift 2
done

# Every process of the run inherits this mark; it is how they are found, whoever their parent is.
mark="ROAM_TEST_RUN=$$.$RANDOM.$(date +%s%N)"
# Short, because transports put Unix sockets here (108 bytes at most).
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)

marked_processes() {
  local file
  grep -lzFxs -- "$mark" /proc/[0-9]*/environ | while IFS=/ read -r _ _ file _; do echo "$file"; done
}

rank_processes() {
  local pid
  for pid in $(marked_processes); do
    grep -qzsE '^(PMI|OMPI_COMM_WORLD)_RANK=' "/proc/$pid/environ" && echo "$pid"
  done
}

# Kills what is left of the run: the ranks first, so that mpiexec can end by itself and clean up.
end_run() {
  local left
  # shellcheck disable=SC2046  # a list of numbers
  kill -KILL $(rank_processes) 2>/dev/null
  for _ in {1..50}; do
    left=$(marked_processes)
    [[ -n $left ]] || return 0
    sleep 0.1
  done
  # shellcheck disable=SC2086
  while kill -KILL $left 2>/dev/null; do
    sleep 0.05
    left=$(marked_processes)
  done
}

trap 'end_run; rm -rf "$scratch"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

fail() {
  echo "rank_test: FAILED: $*"
  exit 1
}

if ((ranks == 0)); then
  launch=()
elif [[ -n $own_mpiexec ]]; then
  launch=("$own_mpiexec" -n "$ranks")
else
  launch=(tools/mpiexec -n "$ranks")
fi
output=$scratch/output
hung=0
launcher_gave_up='HYD_pmci_wait_for_completion .*: error waiting for event'

# Sets status and hung; what was printed is in $output.
run() {
  local job clock pid
  env "$mark" HOME="$scratch" TMPDIR="$scratch" "${assignments[@]}" "${launch[@]}" \
    "$@" >"$output" 2>&1 </dev/null &
  job=$!

  # Sleeps in the background, so that the end of either wakes the wait.
  sleep "$timeout_s" &
  clock=$!
  wait -n "$job" "$clock"
  if kill -0 "$job" 2>/dev/null; then
    hung=1
    for pid in $(rank_processes); do kill -USR1 "$pid" 2>/dev/null; done
    sleep 2
    end_run
  fi
  wait "$job" 2>/dev/null
  status=$?
  kill "$clock" 2>/dev/null
  wait "$clock" 2>/dev/null
}

for attempt in 1 2 3; do
  run "$@"
  cat "$output"
  ((hung)) && break
  grep -qE "$launcher_gave_up" "$output" || break
  echo "rank_test: the launcher gave up, in run $attempt of at most 3"
  end_run
done

[[ -n $own_mpiexec && $status == 0 ]] && grep -q "^SKIPPED: " "$output" && exit 0
((hung)) && fail "no end after $timeout_s s ($ranks ranks); above is what they answered to SIGUSR1"

# mpiexec may return a moment before the last process is gone.
for _ in {1..50}; do
  [[ -z $(marked_processes) ]] && break
  sleep 0.1
done
left=$(marked_processes)
[[ -z $left ]] || fail "the run has ended (status $status) but left processes behind:" $left

if [[ $expect == ok ]]; then
  ((status == 0)) || fail "exit status $status"
elif [[ $expect == signal:* ]]; then
  signal=${expect#signal:}
  ((status == signal || status == 128 + signal)) || fail "exit status $status, not signal $signal's"
elif [[ $expect != fail ]]; then
  ((status == expect)) || fail "exit status $status, not $expect"
else
  ((status != 0)) || fail "the run was expected to fail, but its exit status is 0"
fi
if [[ -n $expect_output ]] &&
  ! grep -qF -- "$expect_output" "$output" && ! grep -qE -- "$expect_output" "$output"; then
  fail "exit status $status, but the output does not contain: $expect_output"
fi
exit 0
