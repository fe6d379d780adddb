#!/usr/bin/env bash
# A log of a job that is killed at any moment and goes on by itself has each line exactly once; and
# the test sees it where it has not.
#
#   log_test.sh ROAM_RUN MPIEXEC LOG [KILLS [SEED]]
set -u
processes=$(realpath "$(dirname "$0")/processes.sh")
roam_run=$(readlink -f "$1") mpiexec=$(readlink -f "$2") program=$(readlink -f "$3")
kills=${4:-4}
RANDOM=${5:-1}
echo "log_test: seed ${5:-1}"
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_log.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export TMPDIR=$work HOME=$work
export OMPI_MCA_btl_vader_backing_directory=$work OMPI_MCA_btl_sm_backing_directory=$work
patience=$((120 * ${PATIENCE:-1}))
rounds=103

fail() {
  echo "log_test: FAILED: $*"
  tail -n 20 out err
  exit 1
}
for ((member = 0; member < 6; ++member)); do
  for ((round = 0; round < rounds; ++round)); do
    printf 'member %d, round %d; ' $member $round
    head -c $((round % 40)) /dev/zero | tr '\0' .
    echo
  done
done | sort >wanted

supervised() { # OPTION OF log...: in fresh folders
  rm -rf d log log.died
  timeout $patience "$roam_run" -n 3 --checkpoint "$work/d" --every 0 --retries 9 "$program" \
    "$work/log" "$work/d" $rounds "$@" >out 2>err
}
starts() { grep -c '^roam run: .*: started again ' err; }
once() { # WHAT: each line, those of a member in order
  sort log | diff wanted - >differs || fail "$1: $(head -n 5 differs)"
  for ((member = 0; member < 6; ++member)); do
    grep "^member $member," log | sed 's/.*round \([0-9]*\);.*/\1/' | sort -nc || fail "$1: order"
  done
  echo "ok: $1"
}

supervised || fail "status $?"
once "without kills"
supervised die || fail "status $?"
(($(starts) == 1)) || fail "it was not killed once: $(starts)"
once "killed in the midst"
supervised die careless || fail "status $?"
(($(starts) == 1)) || fail "it was not killed once: $(starts)"
sort log | uniq -d | grep -q member || fail "nothing is twice in a log that is not cut back"
[[ $(sort -u log) == "$(<wanted)" ]] || fail "a line is missing in a log that is not cut back"
echo "ok: a log that is not cut back has lines twice"

# At any moment, also in the midst of a line or of a checkpoint.
# shellcheck source=tests/checkpoint/processes.sh
source "$processes"
begin=$(date +%s%N)
supervised || fail "status $?"
took_ms=$((($(date +%s%N) - begin) / 1000000))
killed=0
for ((job = 0; job < kills; ++job)); do
  export ROAM_NODE_RANKS=$((job % 2))
  supervised &
  pid=$!
  ms=$((RANDOM * 32768 % took_ms + RANDOM % 300))
  sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
  mapfile -t ranks < <(ranks_of)
  if ((${#ranks[@]})); then
    kill -9 "${ranks[RANDOM % ${#ranks[@]}]}" 2>/dev/null && ((++killed))
  fi
  wait $pid || fail "job $job: status $?"
  once "job $job, $(starts) starts again"
done
unset ROAM_NODE_RANKS
echo "log_test: $kills jobs, $killed ranks killed"

# By hand, on other numbers of ranks; a log that has lost lines is refused.
rm -rf d log log.died
timeout $patience "$mpiexec" -n 3 "$program" "$work/log" "$work/d" $rounds die >out 2>err
soon no_ranks || fail "ranks are left after the job"
cp log log.killed
cp -r d d.killed
for ranks in 2 1 5; do
  rm -rf d
  cp -r d.killed d
  cp log.killed log
  ROAM_RESTART=d timeout $patience "$mpiexec" -n $ranks "$program" "$work/log" "$work/d" $rounds die \
    >out 2>err || fail "restart on $ranks ranks: $?"
  once "restart on $ranks ranks"
done
rm -rf d
cp -r d.killed d
head -c 100 log.killed >log
ROAM_RESTART=d timeout $patience "$mpiexec" -n 2 "$program" "$work/log" "$work/d" $rounds die >out 2>err &&
  fail "a log that has lost lines is used"
grep -q 'the log is shorter than when the checkpoint was made' err || fail "it is not said why"
echo "log_test: passed"
