#!/usr/bin/env bash
# Checkpoints of virtual ranks: a program that knows nothing of them goes on from each on other numbers
# of ranks, in other topologies, with the results that it has without; what does not go together is
# refused by name, and so is what no checkpoint can have.
#
#   checkpoint_test.sh ROAM_MPI MPIEXEC SOURCE
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
# library FACTOR: the program's own, a new file in place of the one before.
library() {
  echo "int part(int value) { return value * $1 + 1; }" >part.c
  gcc -shared -fPIC -o new.so part.c && mv new.so libpart.so
}
library 3 || fail "no library"
mpicc.mpich -w -O2 -o program "$source" -L. -lpart "-Wl,-rpath,$scratch" || fail "it cannot be compiled"

# run RANKS ARGUMENT...: 6 virtual ranks, or COUNT.
run() {
  timeout $((300 * ${PATIENCE:-1})) "$mpiexec" -n "$1" "$roam_mpi" -n "${COUNT:-6}" ./program "${@:2}" \
    >printed 2>said </dev/null
}
results() { grep -o '[0-9]* rounds, [0-9a-f]*, [a-z]*;' "$1" | sort; }
# right WHAT: the job that has just run printed what it was to print, each line whole.
right() {
  results printed >seen
  diff wanted seen >differs || fail "$1: $(cat differs)"
  (($(grep -Ec '^rank [0-5] of 6: [0-9]+ rounds, [0-9a-f]{16}, (even|odd); end [0-5]$' printed) == 6)) ||
    fail "$1: torn lines"
  echo "ok: $1"
}
made() { find all -name manifest 2>/dev/null | wc -l; }
remove_newest() { rm -rf "all/$(ls all | tail -n 1)"; }
# Those that are left are from before the end, where lines have been printed.
leave_early_ones() {
  local late
  for ((late = 1 + $(made) / 3; late > 0; --late)); do remove_newest; done
  (($(made) >= 1)) || fail "too few checkpoints"
}

UCX_LOG_LEVEL=error mpiexec.hydra -n 6 ./program 40 >printed 2>said || fail "under mpiexec alone"
results printed >wanted
run 2 40 || fail "without checkpoints"
right "as MPICH has it"

for rounds in 150 300 600 1200 2400 4800; do
  rm -rf all
  run 3 $rounds || fail "without checkpoints"
  results printed >wanted
  ROAM_CHECKPOINT=all,every=1s,keep=9 ROAM_NODE_RANKS=1 run 4 $rounds || fail "with checkpoints"
  right "$rounds rounds, with $(made) checkpoints"
  (($(made) < 3)) || break
done
leave_early_ones

# restart RANKS NODE_RANKS: from the newest, which is removed then if it is not the last.
restart() {
  ROAM_NODE_RANKS=$2 ROAM_RESTART=all run "$1" $rounds || fail "restart on $1 ranks"
  right "restart on $1 ranks, ROAM_NODE_RANKS=$2"
  (($(made) == 1)) || remove_newest
}
restart 1 0
restart 2 1
restart 5 2
restart 3 0
restart 2 0
restart 3 1

# From nodes of several ranks; a restart that makes checkpoints too; one that moves all the time.
# It takes so long that a restart from its first checkpoint makes some as well.
for factor in 1 2 4 8 16 32 64; do
  many=$((rounds * factor))
  rm -rf all
  run 3 $many || fail "without checkpoints"
  results printed >wanted
  ROAM_CHECKPOINT=all,every=1s,keep=99 ROAM_NODE_RANKS=2 run 4 $many || fail "with checkpoints"
  right "4 ranks on 2 nodes, $many rounds, with $(made) checkpoints"
  (($(made) < 6)) || break
done
rounds=$many
leave_early_ones
while (($(made) > 1)); do remove_newest; done
cp -r all first
ROAM_RESTART=first ROAM_CHECKPOINT=all,every=1s,keep=9 run 3 $rounds || fail "a restart with checkpoints"
right "a restart that makes checkpoints"
leave_early_ones
restart 5 0
# A round takes far longer where each call moves.
usual=$rounds
for rounds in 40 160 640; do
  rm -rf all
  run 3 $rounds || fail "without checkpoints"
  results printed >wanted
  timeout $((100 * ${PATIENCE:-1})) env ROAM_NODE_RANKS=1 ROAM_CHECKPOINT=all,every=1s,keep=9 \
    "$mpiexec" -n 3 "$roam_mpi" -n 6 --move ./program $rounds >printed 2>said || fail "--move"
  right "virtual ranks that move all the time, $rounds rounds, with $(made) checkpoints"
  (($(made) < 3)) || break
done
leave_early_ones
restart 2 1
rounds=$usual

# ---- what does not go together ----

# refused TEXT: not a line of results.
refused() {
  grep -q -- "$1" said || fail "it does not say '$1'"
  ! grep -q rounds printed || fail "it goes on all the same"
  echo "ok: refused: $1"
}
COUNT=5 ROAM_RESTART=first run 2 $rounds && fail "with fewer virtual ranks"
refused 'the job had 6 virtual ranks .* and has 5 now. Start it with -n 6'
library 5
ROAM_RESTART=first run 2 $rounds && fail "with another library"
refused 'virtual ranks run other files.*libpart.so'
library 3
echo 'int more;' >>part.c
mpicc.mpich -w -O1 -o program "$source" -L. -lpart "-Wl,-rpath,$scratch"
ROAM_RESTART=first run 3 $rounds && fail "another program of that name"
refused 'virtual ranks run other files.*/program, and' 

# ---- what stands in the way ----

for held in fopen file; do
  rm -rf all
  for longer in 1 3 9; do
    ROAM_CHECKPOINT=all,every=1s,wait=1s run 2 $((longer * rounds)) $held || fail "while it holds $held"
    ! grep -q 'no checkpoint in' said || break
  done
  case $held in
    fopen) text="thread 'virtual rank.*' on rank .*: .*FILE" ;;
    file) text="virtual rank [0-5] has the file '.*held' open by MPI_File_open" ;;
  esac
  grep -q "no checkpoint in '.*/all': .*$text" said || fail "$held is not told"
  echo "ok: in its way: $held"
done
