#!/usr/bin/env bash
# Restarts from checkpoints that keepers hold in memory: with all keepers, with those of lost nodes
# gone, with pieces that are nowhere or not as they were.
#
#   memory_test.sh MPIEXEC WALK KEEP KEEPER
set -u
walks=$(realpath "$(dirname "$0")/walks.sh")
mpiexec=$(realpath "$1") walk=$(realpath "$2") keep=$(realpath "$3") keeper=$(realpath "$4")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap '"$keep" forget "$scratch/all"; rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
# shellcheck source=tests/checkpoint/walks.sh
source "$walks"

# restarts RANKS NODE_RANKS WHERE: it goes on from the second checkpoint, and says where that was.
restarts() {
  rm -f record*
  ROAM_RECORD=$scratch/record ROAM_NODE_RANKS=$2 ROAM_RESTART=$goes_on_from walk "$1" none 0 ||
    fail "restart on $1 ranks: $(cat said)"
  [[ $(<record.from) == "checkpoint 000002, from $3" ]] || fail "$1 ranks: $(<record.from), not $3"
  diff wanted sorted >differs || fail "restart on $1 ranks: $(head -5 differs) $(tail -5 said)"
  echo "ok: $1 ranks, ROAM_NODE_RANKS=$2, from $3"
}
goes_on_from=all
put() { "$keep" put "$keeper" all "$1" 000002 "${@:2}" || fail "put $*"; }
commit() { "$keep" commit "$keeper" all "$1" 000002 || fail "commit $*"; }
forget() { "$keep" forget all || fail forget; }
holds() { [[ $("$keep" list all "$1") == "$2" ]] || fail "node $1 has $("$keep" list all "$1")"; }
files=(piece-0 piece-1 piece-2 piece-3)

walk 4 || fail "without checkpoints: $(cat said)"
cp sorted wanted
walk 4 all 2 || fail "a job that makes checkpoints: $(cat said)"
bases=$(cd all/000002 && echo base-*)
# shellcheck disable=SC2206  # names without spaces
[[ $bases == 'base-*' ]] || files+=($bases)
restarts 3 0 disk

# Only in memory, on one node, where each rank reaches all.
put 0 "${files[@]}"
commit 0
cp -r all/000002 kept
restarts 4 0 memory
rm -rf all/000002
for ranks in 1 2 3 4 5; do restarts "$ranks" 0 memory; done

# By another way to the folder; and not those of a folder that this one was copied from.
ln -s all link
goes_on_from=link
restarts 4 0 memory
cp -r all copy
cp -r kept copy/000002
goes_on_from=copy
restarts 4 0 disk
grep -q "it keeps those of $scratch/all/keepers-.*: it is passed over" said || fail "$(cat said)"
goes_on_from=all

# As two nodes: each keeps its own and the other's. One is lost, then the other.
restarts 4 2 "the buddy"
cp -r kept all/000002
put 1 "${files[@]}"
holds 1 "2 part: $(printf '%s\n' "${files[@]}" | sort | tr '\n' ' ' | sed 's/ $//')"
rm -rf all/000002
restarts 4 2 memory
holds 1 "2 whole: $(printf '%s\n' "${files[@]}" | sort | tr '\n' ' ' | sed 's/ $//')"
restarts 4 1 "the buddy"

# A piece is nowhere: the checkpoint on disk is used, of the same number.
cp -r kept all/000002
forget
some=()
for file in "${files[@]}"; do [[ $file == piece-2 ]] || some+=("$file"); done
put 0 "${some[@]}"
commit 0
restarts 4 0 disk
grep -q "in 'all' that is in memory cannot be used: 'piece-2' is in memory of no node" said ||
  fail "it is not said: $(cat said)"

# A piece is not what the manifest says.
forget
flip all/000002/piece-1 $((3 * 4096 + 5))
put 0 "${files[@]}"
commit 0
rm -rf all/000002
cp -r kept all/000002
restarts 4 0 disk
grep -q "in 'all' that is in memory cannot be used: .*piece-1.*: .*piece-1 at byte" said ||
  fail "$(cat said)"
# The next node's keeper has it as it should be.
put 1 "${files[@]}"
restarts 4 2 "the buddy"
grep -q "piece-1 at byte .*: it is looked for elsewhere" said || fail "$(cat said)"

# There is no memory to read it: it is not struck off, and the one on disk is not gone on from.
forget
put 0 "${files[@]}"
commit 0
ROAM_MEMORY=30M ROAM_RESTART=all walk 4 none 0 && fail "a job went on without the memory for it"
grep -q "checkpoint 2 is not passed over, .*ROAM_MEMORY" said || fail "it is not said: $(cat said)"
! grep -qE "one before it is tried|looked for elsewhere" said || fail "it is struck off: $(cat said)"
holds 0 "2 whole: $(printf '%s\n' "${files[@]}" | sort | tr '\n' ' ' | sed 's/ $//')"
restarts 4 0 memory

# Nobody has committed it.
forget
put 0 "${files[@]}"
restarts 4 0 disk

# The arena lay elsewhere, which only what is in memory tells.
forget
rm -rf all
ROAM_ARENA=0x300000000000,0x4000000000 walk 4 all 2 || fail "in another arena: $(cat said)"
# shellcheck disable=SC2207  # names without spaces
files=($(cd all/000002 && find . -name '*-*' -printf '%P\n'))
put 0 "${files[@]}"
commit 0
rm -rf all/0*
for ranks in 1 3 5; do restarts "$ranks" 0 memory; done
echo "memory_test: passed"
