#!/usr/bin/env bash
# Timed waits go on after a restart with the time that was left: where the machine's clock shows
# much less than then, much more, and the same.
#
#   waits_test.sh MPIEXEC WAITS
set -u
mpiexec=$(realpath "$1") waits=$(realpath "$2")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset ROAM_NODE_RANKS ROAM_RESTART ROAM_CHECKPOINT

fail() {
  echo "FAILED: $*"
  cat printed said
  exit 1
}
# A wait that never ends is ended here.
run() { # RANKS COMMAND...
  timeout $((60 * ${PATIENCE:-1})) "$mpiexec" -n "$1" "${@:2}" >printed 2>said </dev/null
}
# 6 s are 120 ticks, fewer on a busy machine. Who ends at once has what the checkpoint had, 10.
waited() { # GROUPS WHAT
  local count=0 first last
  while read -r _ _ first _ last _; do
    ((first >= 13 && last <= 130)) || fail "$2: $first to $last ticks"
    ((++count))
  done < <(grep '^group' printed)
  ((count == $1)) || fail "$2: $count groups"
  echo "ok: $2"
}

run 2 "$waits" - || fail "without checkpoints"
waited 2 "without checkpoints"
run 2 "$waits" all end && fail "it was to end where its checkpoint is made"
[[ -e all/000001/manifest ]] || fail "no checkpoint"
for ranks in 2 1; do
  ROAM_RESTART=all run $ranks "$waits" - || fail "restart on $ranks ranks"
  waited 2 "on $ranks ranks with the same clock"
done
# The newest, which was made when all waits were over, is torn: its time is not the job's.
run 2 "$waits" torn again || fail "two checkpoints"
waited 2 "with another checkpoint at the end"
truncate -s 4096 torn/000002/piece-0 || fail "no second checkpoint"
ROAM_RESTART=torn run 2 "$waits" - || fail "restart from the one before a torn one"
grep -q "checkpoint 2 in 'torn' cannot be used" said || fail "the torn one is not named"
waited 2 "from the one before a torn one"
# Clocks of this machine as if it had been started at another time.
up=$(cut -d. -f1 /proc/uptime)
for shift in 1000000 $((up < 10000 ? 60 - up : -10000)); do
  other=(unshare -T --monotonic="$shift" --boottime="$shift")
  if ! "${other[@]}" true 2>said; then
    echo "SKIPPED: no clock of another machine: $(<said)"
    exit 0
  fi
  ROAM_RESTART=all run 2 "${other[@]}" "$waits" - || fail "restart with a clock shifted by $shift s"
  waited 2 "on a clock shifted by $shift s"
done
echo "waits_test: passed"
