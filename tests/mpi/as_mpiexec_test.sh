#!/usr/bin/env bash
# An MPI program, built here by MPICH's compilers, prints as virtual ranks what it prints as processes
# under mpiexec: with one rank and several, on one node and many, and when each blocking call ends on
# another rank than the one before. The order of lines of different ranks is nobody's promise.
#
#   as_mpiexec_test.sh ROAM_MPI MPIEXEC SOURCE
set -u
roam_mpi=$1 mpiexec=$2 source=$3
processes=4

scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
fail() {
  echo "FAILED: $*"
  exit 1
}

case $source in
  */parallel.c) compile=(mpicc.mpich -O2 -fopenmp) ;;
  *.c) compile=(mpicc.mpich -O2) ;;
  *.cc) compile=(mpicxx.mpich -std=c++17 -O2) ;;
  *.f) compile=(mpif77.mpich -O2) ;;
  *.f90) compile=(mpif90.mpich -O2 "-J$scratch") ;;
  *) fail "$source: no compiler is known" ;;
esac
program=$scratch/program
"${compile[@]}" -o "$program" "$source" || fail "it cannot be compiled"

# UCX's warnings, of what MPICH leaves behind after persistent collectives, go to standard output.
UCX_LOG_LEVEL=error mpiexec.hydra -n $processes "$program" >"$scratch/plain" || fail "status $? under mpiexec alone"
LC_ALL=C sort "$scratch/plain" -o "$scratch/wanted"
(($(wc -l <"$scratch/wanted") >= processes)) || fail "it prints less than a line each"

# try RANKS ENVIRONMENT OPTION...: ENVIRONMENT is NAME=VALUE, or -.
try() {
  local ranks=$1 setting=$2 status
  shift 2
  [[ $setting == - ]] && setting=ONE_NODE=1
  env "$setting" "$mpiexec" -n "$ranks" "$roam_mpi" -n $processes "$@" "$program" \
    >"$scratch/printed" 2>"$scratch/errors"
  status=$?
  LC_ALL=C sort "$scratch/printed" -o "$scratch/seen"
  if ((status != 0)) || ! cmp -s "$scratch/wanted" "$scratch/seen"; then
    cat "$scratch/errors"
    diff "$scratch/wanted" "$scratch/seen" | head -20
    fail "$ranks ranks, $setting $*: status $status"
  fi
  echo "ok: $ranks ranks, $setting $*"
}

try 1 -
try 3 -
try 3 ROAM_NODE_RANKS=1
try 3 ROAM_NODE_RANKS=1 --move
try 4 ROAM_NODE_RANKS=2 --move
