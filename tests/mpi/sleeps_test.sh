#!/usr/bin/env bash
# Virtual ranks that sleep by calls of libc, or wait for no descriptor by those for that, are in the
# way of no checkpoint, and sleep on after a restart for the time that was left.
#
#   sleeps_test.sh ROAM_MPI MPIEXEC SOURCE
set -u
roam_mpi=$(realpath "$1") mpiexec=$(realpath "$2") source=$(realpath "$3")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
cd "$scratch" || exit 1
unset ROAM_NODE_RANKS ROAM_RESTART ROAM_CHECKPOINT

fail() {
  echo "FAILED: $*"
  tail -n 20 printed said
  exit 1
}
mpicc.mpich -w -O2 -o program "$source" || fail "it cannot be compiled"
sleepers=10
run() { # RANKS ARGUMENT...
  timeout $((100 * ${PATIENCE:-1})) "$mpiexec" -n "$1" "${before[@]}" "$roam_mpi" -n $sleepers "${@:2}" \
    >printed 2>said </dev/null
}
before=()
right() {
  sort printed >seen
  diff wanted seen >differs || fail "$1: $(cat differs)"
  echo "ok: $1"
}

UCX_LOG_LEVEL=error mpiexec.hydra -n $sleepers ./program 1 >printed 2>said || fail "under mpiexec alone"
sort printed >wanted
(($(grep -c 'slept long, right, 45$' wanted) == sleepers)) || fail "under mpiexec alone"
run 3 ./program 1 || fail "without checkpoints"
right "without checkpoints"
run 3 --move ./program 1 || fail "--move"
right "virtual ranks that move"

# Longer than it takes to make one, on a busy machine too.
for seconds in 5 10 20; do
  rm -rf all
  ROAM_CHECKPOINT=all,every=1s,keep=99,wait=3s run 3 ./program $seconds || fail "with checkpoints"
  right "$seconds s, with checkpoints"
  ! grep -q "sleep of libc" said || fail "a sleep is in the way"
  [[ ! -e all/000002/manifest ]] || break
done
[[ -e all/000001/manifest ]] || fail "no checkpoint is made in the midst of a sleep"
find all -mindepth 1 -maxdepth 1 -name '0*' ! -name 000001 -exec rm -rf {} +
up=$(cut -d. -f1 /proc/uptime)
for ranks in 3 1 4; do
  ROAM_RESTART=all ROAM_NODE_RANKS=$((ranks % 3)) run $ranks ./program $seconds ||
    fail "restart on $ranks ranks"
  right "restart on $ranks ranks"
done
for shift in 1000000 $((up < 10000 ? 60 - up : -10000)); do
  before=(unshare -T --monotonic="$shift" --boottime="$shift")
  if ! "${before[@]}" true 2>said; then
    echo "SKIPPED: no clock of another machine: $(<said)"
    break
  fi
  ROAM_RESTART=all run 2 ./program $seconds || fail "restart with a clock shifted by $shift s"
  right "restart with a clock shifted by $shift s"
done

# An alarm that comes in the midst of a sleep, in the job and in restarts of it.
before=()
ends() { # WHAT RANKS
  run "$2" ./program $seconds 3 && fail "$1: it has not ended"
  grep -q "virtual rank 3: its alarm has come" said || fail "$1: it ended otherwise"
  ! grep -q "rank 3 has slept longer" printed || fail "$1"
  echo "ok: $1"
}
for seconds in 5 10 20; do
  rm -rf all
  ROAM_CHECKPOINT=all,every=1s,keep=99,wait=3s ends "an alarm after $seconds s" 3
  [[ ! -e all/000001/manifest ]] || break
done
[[ -e all/000001/manifest ]] || fail "no checkpoint is made in the midst of a sleep with an alarm"
for ranks in 1 2 5; do
  ROAM_RESTART=all ROAM_NODE_RANKS=$((ranks % 2)) ends "an alarm after a restart on $ranks ranks" $ranks
done
echo "sleeps_test: passed"
