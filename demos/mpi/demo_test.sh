#!/usr/bin/env bash
# The demo of MPI programs runs to its end, says that all runs printed the same, and draws a picture;
# a program that prints something else as virtual ranks is told of.
#
#   demo_test.sh RUN ROAM_MPI MPIEXEC ROAM_REPORT SOURCE
set -u
run=$1
shift
work=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$work"' EXIT
export HOME=$work TMPDIR=$work
fail() {
  echo "demo_test: $*"
  cat "$work/said"
  exit 1
}

"$run" "$@" "$work/t.svg" -p 4000 -s 30 -c 1000 >"$work/said" 2>&1 || fail "status $?"
grep -q '^  All three printed the same.$' "$work/said" || fail "they do not print the same"
(($(grep -c '^4000 particles, 0 wrong$' "$work/said") == 3)) || fail "particles are missing"
grep -q '<svg' "$work/t.svg" || fail "there is no picture"

sed 's|fprintf(stderr, "drift: %.2f|printf("%d ranks", size); &|' "$4" >"$work/other.c"
! "$run" "$1" "$2" "$3" "$work/other.c" "$work/o.svg" -p 40 -s 3 -c 1000 >"$work/said" 2>&1 ||
  fail "another output was not noticed"
grep -q 'this is not what the processes printed' "$work/said" || fail "it ended for another reason"
echo "demo_test: right"
