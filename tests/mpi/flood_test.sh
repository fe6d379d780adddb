#!/usr/bin/env bash
# Who sends short messages without end to one that does not receive waits where that has no room, and
# not before; all of them come. So does who accesses the window of one that computes.
#
#   flood_test.sh ROAM_MPI MPIEXEC SOURCE
set -u
roam_mpi=$1 mpiexec=$2 source=$3
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
failures=0
mpicc.mpich -O2 -o "$scratch/program" "$source" || exit 1

# says TEXT BYTES RANKS SETTING [accumulates|fetches]
says() {
  env "$4" timeout 200 "$mpiexec" -n "$3" "$roam_mpi" -n 3 "$scratch/program" "$2" $most_s ${5-} \
    >"$scratch/printed" 2>&1 </dev/null
  local status=$?
  if ((status == 0)) && [[ $(cat "$scratch/printed") == "0 wrong, $1" ]]; then
    echo "ok: $2 bytes${5+, $5}, $3 ranks, $4: $1"
  else
    echo "FAIL: $2 bytes${5+, $5}, $3 ranks, $4: status $status"
    cat "$scratch/printed"
    failures=$((failures + 1))
  fi
}

most_s=100
says "was through" 8 2 ONE_NODE=1
most_s=3
for bytes in 0 8 128 129; do
  says waited $bytes 1 ROAM_UNRECEIVED=65536
  says waited $bytes 2 ROAM_UNRECEIVED=65536
done
most_s=1
says waited 8 2 ONE_NODE=1 accumulates
says waited 8 2 ONE_NODE=1 fetches
export ROAM_NODE_RANKS=1
most_s=3
says waited 0 3 ROAM_UNRECEIVED=65536
says waited 8 2 ROAM_UNRECEIVED=65536

exit $((failures > 0))
