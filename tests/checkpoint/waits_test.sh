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
  local count=0 ticks
  while read -r _ _ ticks _; do
    ((ticks >= 30 && ticks <= 130)) || fail "$2: $ticks ticks"
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
