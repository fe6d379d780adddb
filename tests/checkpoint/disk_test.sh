#!/usr/bin/env bash
# The disk fails while checkpoints are made in memory and on it: those in memory go on, it is said,
# the disk is tried again, and a job that is killed goes on from what is in memory, also where
# nothing has ever come to the disk.
#
#   disk_test.sh MPIEXEC DISK KEEPER ROAM_RUN ROAM_CHECKPOINT
set -u
processes=$(realpath "$(dirname "$0")/processes.sh")
mpiexec=$(realpath "$1") program=$(realpath "$2")
ROAM_KEEPER=$(realpath "$3") roam_run=$(realpath "$4") tool=$(realpath "$5")
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

# A keeper's program that is beside the job's is found before threads stand still: that takes the
# loader's lock, which a kernel thread may have that waits until it may free.
rm -rf d
mkdir bin
cp -L "$program" "$ROAM_KEEPER" bin
(
  unset ROAM_KEEPER
  program=$work/bin/${program##*/}
  ROAM_CHECKPOINT=$work/d,every=1s,memory=on,disk=0 job 10 none 0 3 && fail "it was to be killed"
  [[ -n $(keepers) ]] || fail "no keeper is found"
  ! grep -q "dladdr is called" said || fail "it is looked for too late"
) || exit 1
for pid in $(keepers); do kill -9 "$pid"; done
echo "ok: a keeper beside the program"

# The first does not come to the disk either.
supervised=(timeout --foreground $((120 * ${PATIENCE:-1})) "$roam_run" -n 2
  --checkpoint "$work/d" --every 1 --memory)
job_of_it=("$program" 10 piece- 1 0)
begins() { # OPTION...: in a fresh folder; the first is in memory, and its ranks run
  rm -rf d
  : >said
  "${supervised[@]}" "$@" "${job_of_it[@]}" >printed 2>said </dev/null &
  supervisor=$!
  until grep -q "checkpoint 1 is made in memory, and not on disk" said; do
    kill -0 $supervisor || fail "it ended early"
    sleep 0.05
  done
  sleep 1.5
  mapfile -t ranks < <(ranks_of)
}
told() { grep -q -- "$1" said || fail "it does not say '$1'"; }
job 10 || fail "without checkpoints"
right=$(<printed)
begins
kill -9 "${ranks[0]}"
wait $supervisor || fail "status $?"
told "the job was killed .*: started again from the checkpoint in memory (1 of 3)"
told "it went on from checkpoint 00000[1-9], from memory"
[[ $(<printed) == *"$right"* ]] || fail "it prints '$(<printed)'"
[[ -z $(on_disk 2>&1 | grep -v cannot) ]] || fail "on disk are $(on_disk)"
(cd d && [[ $(<keepers) == *' 0' ]]) || fail "keepers are noted after the end: $(<d/keepers)"
echo "ok: nothing on disk"

# With the keeper too: it begins anew, which is no further retry.
begins --retries 1
kill -9 "${ranks[0]}" $(keepers)
wait $supervisor || fail "status $?"
told ": started again from the checkpoint in memory (1 of 1)"
told "the checkpoint in memory is lost: started again from the beginning"
[[ $(<printed) == *"$right"* ]] || fail "it prints '$(<printed)'"
echo "ok: nothing on disk, and what was in memory is lost"

# A job that was stopped goes on from there, and no other one takes its folder.
begins
kill -TERM $supervisor
wait $supervisor
told "it can go on from the checkpoint in memory, with --checkpoint"
"${supervised[@]}" "${job_of_it[@]}" >printed 2>said && fail "another job begins in its folder"
told "has checkpoints of an earlier job, the newest in memory: go on from it with --restart"
"${supervised[@]}" --restart "${job_of_it[@]}" >printed 2>said || fail "it does not go on: status $?"
told "it went on from checkpoint 00000[1-9], from memory"
[[ $(<printed) == *"$right"* ]] || fail "it prints '$(<printed)'"
echo "ok: stopped, with nothing on disk"

# Somebody has its keepers end: the next one goes to the disk, and the one after it is noted again.
begins
"$tool" forget d >forgotten 2>&1 || fail "forget: $(<forgotten)"
[[ $(<d/keepers) == *' 0' ]] || fail "keepers that have ended are noted: $(<d/keepers)"
noted() { [[ $(<d/keepers) == *' 1' ]]; }
within 20 noted || fail "what is in memory again is not noted: $(<d/keepers)"
kill -TERM $supervisor
wait $supervisor
echo "ok: keepers that were told to end"
echo "disk_test: passed"
