#!/usr/bin/env bash
# Checkpoints that are compressed: restarts on other numbers of ranks, on the same and other
# settings, from folders where some files are compressed; torn ones; and a job under `roam run
# --compress` that is killed.
#
#   compress_test.sh ROAM_RUN MPIEXEC WALK ENDURE ROAM_CHECKPOINT
set -u
walks=$(realpath "$(dirname "$0")/walks.sh") processes=$(realpath "$(dirname "$0")/processes.sh")
roam_run=$(realpath "$1") mpiexec=$(realpath "$2") walk=$(realpath "$3")
program=$(realpath "$4") tool=$(realpath "$5")
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_compress.XXXXXX")
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work HOME=$work
cd "$work" || exit 1
# shellcheck source=tests/checkpoint/walks.sh
source "$walks"

same() { # WHAT: the job that has just run printed what it was to print
  diff wanted sorted >differs || fail "$1: $(head -5 differs) $(tail -5 said)"
  echo "ok: $1"
}
restarted() { # CHECKPOINT RANKS
  grep -q "restarted from checkpoint $1 on $2 ranks" said || fail "no restart: $(cat said)"
}
magic() { head -c 8 "$1"; } # FILE
version() { sed -n 's/^ "version": \([0-9]*\),$/\1/p' "$1"; } # MANIFEST

walk 4 || fail "without checkpoints: $(cat said)"
cp sorted wanted

for level in zstd zstd:3 zstd:-5; do
  rm -rf all
  ROAM_CHECKPOINT=,compress=$level walk 4 all 2 || fail "$level: $(cat said)"
  same "4 ranks go on after two checkpoints, compress=$level"
  "$tool" verify all >verified 2>&1 || fail "verify: $(cat verified)"
  for piece in all/0*/piece-*; do
    [[ $(magic "$piece") == RMDZHEAD ]] || fail "$piece is not compressed"
  done
  [[ $(version all/000002/manifest) == 3 ]] || fail "version $(version all/000002/manifest)"
  "$tool" list all >listed
  (($(grep -c '^00000[12] .* [KM]iB, [0-9.]* [KM]iB on disk  whole$' listed) == 2)) ||
    fail "list: $(cat listed)"
  "$tool" show all | grep -q '^piece-0: .* [KM]iB, .* on disk, ' || fail "show: $("$tool" show all)"
  for ranks in 1 3 4 7; do
    ROAM_NODE_RANKS=$((ranks % 3)) ROAM_RESTART=all walk $ranks none 0 ||
      fail "restart on $ranks ranks: $(cat said)"
    restarted 1 $ranks
    same "restart on $ranks ranks, compress=$level"
  done
done

# Files of both kinds in one chain, whose bases are the one or the other.
rm -rf all
ROAM_CHECKPOINT=,compress=zstd walk 4 all 1 || fail "$(cat said)"
[[ $(version all/000001/manifest) == 3 ]] || fail "it is not compressed"
for ranks in 2 6 3 4; do
  compress=$( ((ranks % 2)) && echo zstd:1 || echo off)
  ROAM_CHECKPOINT=,compress=$compress ROAM_RESTART=all walk $ranks all 2 || fail "chain: $(cat said)"
  same "a chain of restarts, now on $ranks ranks with compress=$compress"
done
"$tool" verify all >verified 2>&1 || fail "verify: $(cat verified)"

# Torn: named, and the one before is used. A byte of the first frame, of the table, of the end. The
# first frame is stored as it is where it does not shrink (of a rank that had no threads just then):
# what is wrong is seen in the piece itself.
rm -rf all first
ROAM_CHECKPOINT=,compress=zstd,full=1 walk 4 all 2 || fail "$(cat said)"
cp -r all first
bytes=$(stat -c %s all/000002/piece-1)
for at in 4100 $((bytes - 4096)) $((bytes - 10)) 9; do
  flip all/000002/piece-1 "$at"
  "$tool" verify all >verified 2>&1 && fail "byte $at: it is not seen"
  grep -Eq "000002/piece-1(, decompressed,)? at byte" verified ||
    fail "byte $at is not named: $(cat verified)"
  ROAM_RESTART=all walk 3 none 0 || fail "the one before is not used: $(cat said)"
  grep -Eq "checkpoint 2 in 'all' cannot be used: .*piece-1(, decompressed,)? at byte" said ||
    fail "byte $at is not named: $(cat said)"
  restarted 0 3
  same "the checkpoint before one whose byte $at is torn"
  rm -rf all
  cp -r first all
done
truncate -s -4096 all/000002/piece-1
ROAM_RESTART=all walk 3 none 0 || fail "the one before is not used: $(cat said)"
restarted 0 3
same "the checkpoint before one that is cut off"
ROAM_CHECKPOINT=,compress=gzip walk 1 && fail "an unknown method"
grep -q "LEVEL from -50 to 19" said || fail "it is not said: $(cat said)"

# ---- under roam run ----

fail() {
  echo "compress_test: FAILED: $*"
  tail -n 20 out err
  exit 1
}
# shellcheck source=tests/checkpoint/processes.sh
source "$processes"
supervised=(timeout $((120 * ${PATIENCE:-1})) "$roam_run" -n 3 --checkpoint "$work/d" --every 0)
"${supervised[@]}" "$program" well "$work/d" 40 >out 2>err || fail "status $?"
right=$(<out)
# Once crash-once has a checkpoint, it crashes, and goes on from there.
rm -rf d
"${supervised[@]}" --compress zstd:2 "$program" crash-once "$work/d" 40 >out 2>err || fail "status $?"
grep -q "started again from checkpoint 0" err || fail "it is not started again"
grep -q "it went on from checkpoint 00000[1-9], from disk" err || fail "it does not go on"
[[ $(<out) == "$right" ]] || fail "it prints another answer"
for piece in d/0*/piece-*; do
  [[ $(magic "$piece") == RMDZHEAD ]] || fail "$piece is not compressed"
done
# And one that shares no file with the newest, if those two do and it is there.
(($(ls -d d/0* | wc -l) == 2 || $(ls -d d/0* | wc -l) == 3)) || fail "two are to be kept: $(ls d)"
echo "ok: a job that crashed goes on from a compressed checkpoint"
# A rank is killed, when there is one.
rm -rf d
"${supervised[@]}" --compress zstd --retries 9 "$program" well "$work/d" 1000 >out 2>err &
supervisor=$!
until compgen -G 'd/0*/manifest' >/dev/null; do
  kill -0 $supervisor 2>/dev/null || fail "it ended early"
  sleep 0.05
done
mapfile -t ranks < <(ranks_of)
kill -9 "${ranks[0]}" || fail "nobody is killed"
until grep -q "it went on from checkpoint 0" err; do
  kill -0 $supervisor 2>/dev/null || fail "it does not go on"
  sleep 0.05
done
kill -TERM $supervisor
wait $supervisor
# ... and goes on with another number of ranks, without --compress.
newest=$(basename "$(ls -d d/0* | grep -v part | tail -n 1)")
[[ $(version "d/$newest/manifest") == 3 ]] || fail "$newest is not compressed"
timeout $((240 * ${PATIENCE:-1})) "$roam_run" -n 2 --checkpoint "$work/d" --every 0 --restart "$program" \
  well "$work/d" 1000 >out 2>err || fail "status $?"
grep -q "it went on from checkpoint $newest, from disk" err || fail "it does not go on"
cp out killed
rm -rf d
timeout $((240 * ${PATIENCE:-1})) "$roam_run" -n 2 --checkpoint "$work/d" --every 0 "$program" \
  well "$work/d" 1000 >out 2>err || fail "status $?"
diff out killed >/dev/null || fail "it prints another answer"
echo "ok: a job that was killed goes on, and on another number of ranks"
for bad in gzip zstd: zstd:0 zstd:20 zstd:-51 zstd:1.5; do
  "$roam_run" --compress $bad "$program" well - 4 >out 2>err
  (($? == 2)) || fail "--compress $bad is taken"
  grep -q "a level from -50 to 19 without 0" err || fail "it is not said what is allowed"
done
echo "compress_test: passed"
