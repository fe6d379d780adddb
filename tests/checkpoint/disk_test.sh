#!/usr/bin/env bash
# The disk fails while checkpoints are made in memory and on it: those in memory go on, it is said,
# the disk is tried again, and a job that is killed goes on from what is in memory.
#
#   disk_test.sh MPIEXEC DISK KEEPER
set -u
processes=$(realpath "$(dirname "$0")/processes.sh")
mpiexec=$(realpath "$1") program=$(realpath "$2")
ROAM_KEEPER=$(realpath "$3")
export ROAM_KEEPER
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_disk.XXXXXX")
# shellcheck source=tests/checkpoint/processes.sh
source "$processes"
trap end_all EXIT
cd "$work" || exit 1
unset ROAM_NODE_RANKS ROAM_RESTART ROAM_CHECKPOINT

fail() {
  echo "disk_test: FAILED: $*"
  tail -n 20 printed said
  exit 1
}
job() {
  timeout $((60 * ${PATIENCE:-1})) "$mpiexec" -n 2 "$program" "$@" >printed 2>said </dev/null
}
on_disk() { echo $(cd "$work/d" && ls -d [0-9]*); }


# The first and each second are on disk too: the third is not, the fifth is.
for what in piece-1 000003.part; do
  rm -rf d
  ROAM_CHECKPOINT=$work/d,every=1s,memory=on,disk=2,keep=9 job 10 $what 3 6 &&
    fail "it was to be killed"
  grep -q "checkpoint 3 is made in memory, and not on disk: .*Input/output" said ||
    fail "$what: it is not said"
  [[ $(on_disk) == "000001 000005" ]] || fail "$what: on disk are $(on_disk)"
  grep -q "no checkpoint in\|on disk only" said && fail "$what: keepers have not failed"
  rm -rf d/000005
  ROAM_RECORD=$work/record ROAM_RESTART=$work/d ROAM_CHECKPOINT=$work/d,memory=on job 10 ||
    fail "$what: restart"
  [[ $(<record.from) == "checkpoint 000005, from memory" ]] || fail "$what: $(<record.from)"
  echo "ok: $what"
done

# There is no folder any more where the third is to be.
rm -rf d
ROAM_CHECKPOINT=$work/d,every=1s,memory=on,disk=2 job 10 none 0 5 &
until [[ -e d/000001/manifest ]]; do
  kill -0 $! || fail "it ended early"
  sleep 0.05
done
mv d elsewhere
touch d
wait
grep -q "is made in memory, and not on disk: " said || fail "without a folder: it is not said"
rm d
mv elsewhere d
ROAM_RECORD=$work/record ROAM_RESTART=$work/d ROAM_CHECKPOINT=$work/d,memory=on job 10 ||
  fail "restart after the folder was gone"
[[ $(<record.from) == "checkpoint 000004, from memory" ]] || fail "$(<record.from)"
echo "disk_test: passed"
