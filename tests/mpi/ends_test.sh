#!/usr/bin/env bash
# What cannot go on ends with a message and a status that is not 0, and does not hang; and what is
# right, of what a virtual rank could have wrong and a process could not.
#
#   ends_test.sh ROAM_MPI MPIEXEC SOURCE
set -u
roam_mpi=$1 mpiexec=$2 source=$3
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
failures=0
mpicc.mpich -O2 -o "$scratch/program" "$source" || exit 1

# run RANKS VIRTUAL_RANKS [OPTION...] -- MODE: sets status; what was printed is in $scratch/printed.
run() {
  local ranks=$1 count=$2 options=()
  shift 2
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  timeout $((120 * ${PATIENCE:-1})) "$mpiexec" -n "$ranks" "$roam_mpi" -n "$count" "${options[@]}" "$scratch/program" \
    "$2" >"$scratch/printed" 2>&1 </dev/null
  status=$?
}
judge() {
  if [[ $1 == yes ]]; then
    echo "ok: $2"
  else
    echo "FAIL: $2: status $status"
    cat "$scratch/printed"
    failures=$((failures + 1))
  fi
}
# ends WHAT STATUS TEXT RUN_ARGUMENT...: STATUS `some` is any but 0 and that of a hang.
ends() {
  local what=$1 wanted=$2 text=$3 good=yes
  shift 3
  run "$@"
  case $wanted in
    some) ((status != 0 && status != 124)) || good=no ;;
    *) ((status == wanted)) || good=no ;;
  esac
  [[ -z $text ]] || grep -qF -- "$text" "$scratch/printed" || good=no
  judge $good "$what"
}
# right RUN_ARGUMENT...: each of 4 says eight times that nothing was wrong.
right() {
  local good=yes
  run "$@"
  ((status == 0 && $(grep -c ': 0 wrong$' "$scratch/printed") == 32)) || good=no
  judge $good "right: $*"
}

right 1 4 -- right
right 2 4 -- right
right 2 4 --move -- right
ROAM_NODE_RANKS=1 right 3 4 --move -- right
ends "MPI_Abort" 7 "virtual rank 1 calls MPI_Abort with 7" 2 4 -- abort
ends "MPI_Abort with 256" 1 "virtual rank 1 calls MPI_Abort with 256" 2 4 -- abort256
ends "an end without MPI_Finalize" 1 "virtual rank 1 ended with status 0, and without MPI_Finalize" \
  2 4 -- exit
ends "a crash" some "virtual rank[1]" 2 4 -- crash
ends "no such rank" 1 "virtual rank 1: MPI_Send: MPI_ERR_RANK: the destination is rank 4" 2 4 -- rank
ends "MPI from a kernel thread of libc's" 1 "MPI is called from a kernel thread" 2 4 -- from_libc
ends "a function that is not there" 1 "calls MPI_Open_port, which is not in this version" \
  2 4 -- missing
ends "a call before MPI_Init" 1 "calls MPI_Barrier before MPI_Init" 2 4 -- early
ends "a window of constants" 1 "MPI_ERR_BASE: the memory is constant" 2 4 -- constant
ends "two communicators in another order" some "disagree in collective" 2 4 -- order
ends "all wait for each other" some "MPI_Recv" 2 4 -- deadlock
ends "a status after MPI_Finalize" 5 "" 2 4 -- status
ends "a wrong option" 2 "usage: roam-mpi" 2 4 --what -- status

exit $((failures > 0))
