#!/usr/bin/env bash
# Restarts of one job on other numbers of ranks, in other topologies, and of restarts; of torn and
# of no checkpoints; by another program; where the arena lay elsewhere.
#
#   restart_test.sh MPIEXEC WALK OTHER ROAM_CHECKPOINT
set -u
walks=$(realpath "$(dirname "$0")/walks.sh")
mpiexec=$(realpath "$1") walk=$(realpath "$2") other=$(realpath "$3") tool=$(realpath "$4")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
# shellcheck source=tests/checkpoint/walks.sh
source "$walks"

# same WHAT: the job that has just run printed what it was to print.
same() {
  diff wanted sorted >differs || fail "$1: $(head -5 differs) $(tail -5 said)"
  echo "ok: $1"
}

walk 4 || fail "without checkpoints: $(cat said)"
cp sorted wanted

for nodes in 0 1 2; do
  rm -rf all
  ROAM_NODE_RANKS=$nodes walk 4 all 2 || fail "a job that makes checkpoints: $(cat said)"
  same "4 ranks, ROAM_NODE_RANKS=$nodes, goes on after two checkpoints"
  "$tool" verify all >verified 2>&1 || fail "verify: $(cat verified)"
  for ranks in 1 2 3 4 5 8; do
    again=$(((nodes + ranks) % 3))
    ROAM_NODE_RANKS=$again ROAM_RESTART=all walk "$ranks" none 0 ||
      fail "restart on $ranks ranks: $(cat said)"
    grep -q "restarted from checkpoint 1 on $ranks ranks" said || fail "no restart: $(cat said)"
    same "restart on $ranks ranks, ROAM_NODE_RANKS=$again"
  done
done

# A checkpoint of a restart of a restart; the program makes one more each time.
rm -rf all
walk 4 all 1 || fail "$(cat said)"
for ranks in 2 6 3 1 4; do
  ROAM_NODE_RANKS=$((ranks % 3)) ROAM_RESTART=all walk "$ranks" all 2 || fail "chain: $(cat said)"
  same "a chain of restarts, now on $ranks ranks"
done

# The newest is torn: it is named, and the one before it is used.
rm -rf all
walk 4 all 2 || fail "$(cat said)"
flip all/000002/piece-1 $((3 * 4096 + 5))
"$tool" verify all >verified 2>&1 && fail "a flipped byte is not seen"
grep -q "piece-1" verified || fail "verify names no file: $(cat verified)"
ROAM_RESTART=all walk 3 none 0 || fail "the one before is not used: $(cat said)"
grep -q "checkpoint 2 in 'all' cannot be used: .*piece-1" said || fail "it is not named: $(cat said)"
grep -q "restarted from checkpoint 0 on 3 ranks" said || fail "from another: $(cat said)"
same "the checkpoint before a torn one"
# The restarted job made one more, and keeps two: the torn one is none of them.
[[ -e all/000001/manifest && -e all/000003/manifest ]] || fail "it has removed what it went on from"
for piece in all/0*/piece-1; do printf y | dd of="$piece" bs=1 seek=$((4 * 4096 + 5)) conv=notrunc status=none; done
ROAM_RESTART=all walk 3 none 0 && fail "a torn checkpoint was used"
grep -q "no checkpoint can be used: .*piece-1" said || fail "it is not said why: $(cat said)"

# There is no memory for the newest, which is whole: the one before it is no way to go on.
rm -rf all
walk 4 all 2 || fail "$(cat said)"
ROAM_MEMORY=30M ROAM_RESTART=all walk 3 none 0 && fail "a job went on without the memory for it"
grep -q "checkpoint 2 is not passed over, .*ROAM_MEMORY" said || fail "it is not said: $(cat said)"
! grep -q "one before it is tried" said || fail "it is passed over: $(cat said)"
ROAM_RESTART=all walk 3 none 0 || fail "with more memory: $(cat said)"
grep -q "restarted from checkpoint 1 on 3 ranks" said || fail "from another: $(cat said)"
same "the newest checkpoint, once there is memory for it"

# It may be of more ranks than that.
rm -rf all
walk 2 all 2 || fail "$(cat said)"
rm -rf all/000002
ROAM_RESTART=all walk 4 all 2 || fail "$(cat said)"
flip all/000002/piece-1 $((3 * 4096 + 5))
ROAM_RESTART=all walk 3 none 0 || fail "the one before, of fewer ranks, is not used: $(cat said)"
grep -q "checkpoint 2 in 'all' cannot be used: .*piece-1" said || fail "it is not named: $(cat said)"
grep -q "restarted from checkpoint 0 on 3 ranks" said || fail "from another: $(cat said)"
same "the checkpoint before a torn one, which has fewer ranks"

# A rank reads more pieces than it may have files open.
rm -rf all
walk 24 all 2 || fail "$(cat said)"
files=$(find all/000002 -name '*-*' | wc -l)
(
  ulimit -n 48
  ROAM_RESTART=all walk 1 none 0
) || fail "with few descriptors: $(cat said)"
grep -q "restarted from checkpoint 1 on 1 ranks" said || fail "few descriptors: $(cat said)"
same "restart from $files files with 48 descriptors"

# So is one whose base is torn, gone, or another one's, where the file system has links.
rm -rf all first
walk 4 all 2 || fail "$(cat said)"
cp -r all first
if compgen -G 'first/000002/base-000001-*' >/dev/null; then
  instead() { # WHAT: of 2 it is said what is wrong, and 1 is used
    ROAM_RESTART=all walk 3 none 0 || fail "$1: the one before is not used: $(cat said)"
    grep -q "checkpoint 2 in 'all' cannot be used: .*$base" said || fail "$1: $(cat said)"
    grep -q "restarted from checkpoint 0 on 3 ranks" said || fail "$1: from another: $(cat said)"
    same "the checkpoint before one $1"
    rm -rf all
    cp -r first all
  }
  rm -rf all
  cp -r first all # no links any more
  ROAM_RESTART=all walk 3 none 0 || fail "a copy is not used: $(cat said)"
  grep -q "restarted from checkpoint 1 on 3 ranks" said || fail "a copy is not used: $(cat said)"
  rm -rf all/000003
  # Up to a page that 2 uses. Which those are, and of which base, is not the same everywhere.
  for file in all/000002/base-000001-*; do
    base=${file##*/} pages=$(($(stat -c %s "$file") / 4096))
    for ((page = 1; page < pages; ++page)); do
      printf x | dd of="$file" bs=1 seek=$((page * 4096 + 5)) conv=notrunc status=none
      [[ $("$tool" verify all 2>&1) != *"000002/$base at byte "* ]] || break 2
    done
  done
  ((page < pages)) || fail "checkpoint 2 uses no page of another"
  foreign=000001/piece-$(((${base##*-} + 1) % 4))
  instead "whose base is flipped"
  truncate -s $((3 * 4096)) "all/000002/$base"
  instead "whose base is cut off"
  rm "all/000002/$base"
  instead "whose base is gone"
  cp "first/$foreign" "all/000002/$base"
  instead "whose base is another rank's"
else
  echo "ok: no links here, and no bases"
fi
mkdir empty
ROAM_RESTART=empty walk 2 && fail "from nothing"
grep -q "ROAM_RESTART=empty: there is no whole checkpoint to go on from" said || fail "$(cat said)"
echo "ok: torn ones are refused"

# Another program, and another arena.
rm -rf all
walk 2 all 1 || fail "$(cat said)"
"$tool" show all | grep -q '^roam  *[0-9]' || fail "show does not tell the version of Roam"
ROAM_RESTART=all timeout 60 "$mpiexec" -n 2 "$other" >printed 2>said && fail "another program"
grep -q "had the build-id\|had another\|was at" said || fail "the difference is not named: $(cat said)"
ROAM_RESTART=all ROAM_ARENA=0x200000000000,24T walk 2 && fail "another arena"
grep -q "the arena was" said || fail "the difference is not named: $(cat said)"
echo "ok: other programs and arenas are refused"

# The arena lay elsewhere than it would now: it is where it was, unless something else is there.
rm -rf all
first=0x200000001000 place=0x300000000000,0x4000000000
ROAM_ARENA=$place walk 4 all 2 || fail "$(cat said)"
for ranks in 1 3 5; do
  ROAM_NODE_RANKS=$((ranks % 2)) ROAM_RESTART=all walk "$ranks" none 0 || fail "$(cat said)"
  grep -q "restarted from checkpoint 1 on $ranks ranks" said || fail "no restart: $(cat said)"
  same "$ranks ranks, with the checkpoint's own arena"
done
ROAM_RESTART=all MAPS=$first walk 2 none 0 || fail "with its usual place taken: $(cat said)"
same "with the checkpoint's own arena, and the usual place taken"
ROAM_RESTART=all ROAM_ARENA=$place walk 2 none 0 || fail "with its arena as given: $(cat said)"
same "with the checkpoint's arena, as it is given"
ROAM_RESTART=all MAPS=0x300000001000 walk 2 none 0 && fail "with its place taken"
grep -q "ROAM_RESTART=all: on rank 0, the arena was 256 GiB at 0x300000000000 .*memory at 0x300000001000 is mapped there. Start the job with ROAM_ARENA=$place" said || fail "$(cat said)"
ROAM_RESTART=empty MAPS=$first walk 2 && fail "from nothing, with the usual place taken"
grep -q "there is no whole checkpoint to go on from" said || fail "$(cat said)"
# A restart of that restart.
ROAM_RESTART=all walk 2 all 3 || fail "$(cat said)"
ROAM_RESTART=all walk 3 none 0 || fail "$(cat said)"
same "a restart of a restart, with that arena"
echo "ok: the arena is where it was"

# Those of another job in the same folder do not count, and stay.
rm -rf all
walk 2 all 1 || fail "$(cat said)"
ROAM_CHECKPOINT=$PWD/all,keep=1 walk 2 "$PWD/all" 3 || fail "$(cat said)"
(($(grep -c "all/000001: it is another job's; those do not count for keep=, and stay" said) == 1)) ||
  fail "it is not said once: $(cat said)"
[[ $(cd all && echo 0*) == "000001 000004" ]] || fail "not the right ones stay: $(ls all)"
echo "ok: another job's stay"

# Made without being asked, once a second, by a job that takes longer than that.
for rounds in 2000 4000 8000 16000 32000; do
  rm -rf all
  ROAM_CHECKPOINT=all,every=1s,keep=3 ROUNDS=$rounds walk 3 || fail "every second: $(cat said)"
  made=$(find all -name manifest 2>/dev/null | wc -l)
  ((made == 0)) || break
done
((made >= 1 && made <= 3)) || fail "$made checkpoints were made by themselves"
ROAM_CHECKPOINT=all,evry=1s walk 1 && fail "a misspelt part"
grep -q "ROAM_CHECKPOINT" said || fail "$(cat said)"
echo "ok: from time to time"
