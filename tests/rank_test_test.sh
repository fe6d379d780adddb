#!/usr/bin/env bash
# rank_test.sh fails when it should. Arguments: rank_test.sh, mpi_works.
set -u
runner=$1
program=$2
failures=0
log=$(mktemp)
launcher=$(mktemp)
trap 'rm -f "$log" "$launcher"' EXIT

# check WHAT WANTED_STATUS WANTED_TEXT RUNNER_ARGUMENT...
check() {
  local what=$1 wanted_status=$2 wanted_text=$3 status pid
  shift 3
  "$runner" --ranks 2 "$@" >"$log" 2>&1 &
  pid=$!
  wait "$pid"
  status=$?
  if grep -lzs "^ROAM_TEST_RUN=$pid\." /proc/[0-9]*/environ; then
    echo "FAIL: $what: the processes above are left of the run"
    failures=$((failures + 1))
  elif ((status != wanted_status)) || ! grep -qF -- "$wanted_text" "$log"; then
    echo "FAIL: $what: status $status (wanted $wanted_status), wanted output: $wanted_text"
    sed 's/^/    /' "$log"
    failures=$((failures + 1))
  else
    echo "ok: $what"
  fi
}

unset PATIENCE
check "a good run passes" 0 "2 ranks on 1 nodes" "$program"
check "a failing run fails" 1 "FAILED: exit status 3" "$program" --fail
check "the environment reaches the ranks" 0 "2 ranks" --env A=b "$program" --env A=b
check "a missing environment variable is noticed" 1 "A is not set" "$program" --env A=b
check "a good run fails where failure is expected" 1 "its exit status is 0" \
  --expect fail --expect_output "2 ranks" "$program"
check "an expected failure passes" 0 "was told to fail" \
  --expect fail --expect_output "told to fail" "$program" --fail
check "a failure with another message fails" 1 "does not contain: something else" \
  --expect fail --expect_output "something else" "$program" --fail
check "a regular expression is understood" 0 "was told to fail" \
  --expect fail --expect_output "rank [0-9]+: was" "$program" --fail
check "the status that was asked for passes" 0 "told to fail" --expect 3 "$program" --fail
check "another status than was asked for fails" 1 "exit status 3, not 4" --expect 4 "$program" --fail
check "a signal that was asked for passes" 0 "" --expect signal:11 bash -c 'kill -SEGV $$'
check "another signal than was asked for fails" 1 "not signal 9's" \
  --expect signal:9 bash -c 'kill -SEGV $$'
check "a missing output fails" 1 "does not contain" --expect_output "no such line" "$program"
# On a busy machine it takes seconds until a rank can answer.
check "a hang fails and says what is waited for" 1 "rank 0 waits for a message" \
  --timeout 8 "$program" --hang
check "a hang is no expected failure" 1 "no end after 8 s" \
  --timeout 8 --expect fail --expect_output "waits for" "$program" --hang
export PATIENCE=2
check "who has patience waits longer" 1 "no end after 2 s" --timeout 1 "$program" --hang
unset PATIENCE
check "a process left behind fails" 1 "left processes behind" "$program" --orphan
check "a program that is not there fails" 1 "FAILED: exit status" "$program.missing"

# launcher_that GIVES_UP_TIMES: as MPICH's when it fails by itself, so many times in a run of the test.
launcher_that() {
  cat >"$launcher" <<END
#!/usr/bin/env bash
echo >>"\$TMPDIR/runs"
if ((\$(wc -l <"\$TMPDIR/runs") <= $1)); then
  echo "[mpiexec@host] HYD_pmci_wait_for_completion (x.c:1): error waiting for event"
  exit 255
fi
echo "judged in run \$(wc -l <"\$TMPDIR/runs")"
exit 3
END
  chmod +x "$launcher"
}
launcher_that 2
check "a run whose launcher gave up is made again" 0 "judged in run 3" \
  --mpiexec "$launcher" --expect 3 "$program"
check "what is wrong in the run made again fails" 1 "exit status 3, not 4" \
  --mpiexec "$launcher" --expect 4 "$program"
launcher_that 3
check "a launcher that always gives up fails" 1 "exit status 255, not 3" \
  --mpiexec "$launcher" --expect 3 "$program"

exit $((failures > 0))
