#!/usr/bin/env bash
# A program that itself judges what is right, as virtual ranks only: where MPICH does other things, or
# where processes have nothing of the kind.
#
#   alone_test.sh ROAM_MPI MPIEXEC SOURCE
set -u
roam_mpi=$1 mpiexec=$2 source=$3
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
mpicc.mpich -O2 -o "$scratch/program" "$source" -lm || exit 1

# try RANKS OPTION...: each of 4 says at its end that nothing was wrong.
try() {
  local ranks=$1
  shift
  timeout 200 "$mpiexec" -n "$ranks" "$roam_mpi" -n 4 "$@" "$scratch/program" >"$scratch/printed" 2>&1
  local status=$?
  if ((status != 0 || $(grep -c 'end: 0 wrong$' "$scratch/printed") != 4)); then
    cat "$scratch/printed"
    echo "FAILED: $ranks ranks $*: status $status"
    exit 1
  fi
  echo "ok: $ranks ranks $*"
}

try 1
try 2 --move
ROAM_NODE_RANKS=1 try 3
ROAM_NODE_RANKS=1 try 3 --move
