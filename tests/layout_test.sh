#!/usr/bin/env bash
# Ranks whose libraries are the same files under other names are a job; ranks with another build of
# a library are refused.
#
#   layout_test.sh MPIEXEC PROGRAM      PROGRAM: demos/hello
set -u
mpiexec=$1 program=$(readlink -f "$2")
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_layout.XXXXXX")
trap 'rm -rf "$work"' EXIT
fail() {
  echo "layout_test: FAILED: $*"
  cat "$work/out"
  exit 1
}
start() { # rank 1 of two has the libraries in $work/lib
  timeout $((60 * ${PATIENCE:-1})) "$mpiexec" -n 1 "$program" : -n 1 \
    env LD_LIBRARY_PATH="$work/lib" "$program" >"$work/out" 2>&1
}
library=$(ldd "$program" | awk '/libboost_context/ { print $3 }')
[[ -e $library ]] || fail "the program has no libboost_context"
mkdir "$work/lib"
copy=$work/lib/$(basename "$library")

cp "$library" "$copy"
start || fail "the same library elsewhere: status $?"
grep -q '^1: from 0 to 1$' "$work/out" || fail "the same library elsewhere: the thread did not move"

# Another build-id: one bit of its first byte.
id=$(readelf -n "$library" | awk '/Build ID/ { print $3 }')
at=$(LC_ALL=C grep -obUaP "$(sed 's/../\\x&/g' <<<"$id")" "$copy" | head -n 1 | cut -d: -f1)
[[ -n $at ]] || fail "no build-id is found in $library"
printf '\x%02x' $((0x${id:0:2} ^ 1)) | dd of="$copy" bs=1 seek="$at" conv=notrunc status=none
! start || fail "another build of the library is not refused"
grep -q "not laid out alike.*rank 0 has.*$id.*rank 1 has.*$copy" "$work/out" ||
  fail "it does not say which library differs"
echo "layout_test: passed"
