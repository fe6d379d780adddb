#!/usr/bin/env bash
# Virtual ranks of a program with uneven work, which has no word of balancing in it, are moved by
# themselves; not if that is off; and where the program asks for it. Results are right each time.
#
#   balance_test.sh ROAM_MPI MPIEXEC SOURCE
set -u
roam_mpi=$1 mpiexec=$2 source=$3
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
unset ROAM_BALANCE
failures=0
mpicc.mpich -O2 -o "$scratch/program" "$source" -lm || exit 1

# moved WANTED MODE RANKS OPTION...: WANTED is what test(1) asks of the moves that were seen.
moved() {
  local wanted=$1 mode=$2 ranks=$3 status moves
  shift 3
  timeout 200 "$mpiexec" -n "$ranks" "$roam_mpi" -n 8 "$@" "$scratch/program" "$mode" \
    >"$scratch/printed" 2>&1 </dev/null
  status=$?
  moves=$(sed -n 's/^0 wrong, moved \([0-9]*\)$/\1/p' "$scratch/printed")
  # shellcheck disable=SC2086  # two words
  if ((status == 0)) && [[ -n $moves ]] && test "$moves" $wanted; then
    echo "ok: $mode on $ranks ranks, $*: $moves moves"
  else
    echo "FAIL: $mode on $ranks ranks, $*: status $status"
    cat "$scratch/printed"
    failures=$((failures + 1))
  fi
}

moved "-gt 0" collectives 2
moved "-gt 0" collectives 3 --balance
moved "-eq 0" collectives 2 --balance=off
moved "-eq 0" collectives 1
moved "-gt 0" neighbours 2
ROAM_NODE_RANKS=1 moved "-gt 0" collectives 2
ROAM_NODE_RANKS=1 moved "-gt 0" neighbours 3
ROAM_BALANCE=off moved "-eq 0" collectives 2
# Each of four calls moves all.
moved "-eq 32" asked 2 --balance=rotate
moved "-eq 32" asked 3 --balance=rotate
ROAM_NODE_RANKS=1 moved "-eq 32" asked 3 --balance=rotate
moved "-eq 0" asked 2 --balance=off

# A strategy that there is not.
timeout 100 "$mpiexec" -n 2 "$roam_mpi" -n 8 --balance=nonsense "$scratch/program" \
  >"$scratch/printed" 2>&1 </dev/null
if (($? == 0)) || ! grep -q "ROAM_BALANCE=nonsense" "$scratch/printed"; then
  echo "FAIL: --balance=nonsense"
  cat "$scratch/printed"
  failures=$((failures + 1))
fi

exit $((failures > 0))
