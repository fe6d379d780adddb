#!/usr/bin/env bash
# Ranks whose libraries are the same files under other names are a job; ranks with another build of
# a library, or whose machine would be cut into nodes of different sizes, are refused.
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
# Each of two ranks has the libraries in a folder of its own: who has none opens ld.so's cache before
# it maps the first one, and may lie otherwise. Each looks who it is, so that the launcher is given a
# command as in all other tests.
cat >"$work/rank" <<'END'
#!/bin/sh
export LD_LIBRARY_PATH="$1.${PMI_RANK-}${OMPI_COMM_WORLD_RANK-}"
exec "$2"
END
chmod +x "$work/rank"
start() {
  timeout $((60 * ${PATIENCE:-1})) "$mpiexec" -n 2 "$work/rank" "$work/lib" "$program" >"$work/out" 2>&1
}
library=$(ldd "$program" | awk '/libboost_context/ { print $3 }')
[[ -e $library ]] || fail "the program has no libboost_context"
mkdir "$work/lib.0" "$work/lib.1"
copy=$work/lib.1/$(basename "$library")

cp "$library" "$work/lib.0"
cp "$library" "$copy"
start || fail "the same library elsewhere: status $?"
grep -q '^1: from 0 to 1$' "$work/out" || fail "the same library elsewhere: the thread did not move"

# Another build-id: one bit of its first byte, which lies behind the head of its note.
id=$(readelf -n "$library" | awk '/Build ID/ { print $3 }')
note=$(readelf -SW "$library" | sed -n 's/.*\.note\.gnu\.build-id *NOTE *[0-9a-f]* *\([0-9a-f]*\).*/\1/p')
at=$((0x$note + 16))
[[ $(od -An -tx1 -j $at -N $((${#id} / 2)) "$copy" | tr -d ' \n') == "$id" ]] ||
  fail "the build-id of $library does not lie at $at"
# shellcheck disable=SC2059
printf "\\x$(printf %02x $((0x${id:0:2} ^ 1)))" | dd of="$copy" bs=1 seek="$at" conv=notrunc status=none
! start || fail "another build of the library is not refused"
grep -q "not laid out alike.*rank 0 has.*$id.*rank 1 has.*$copy" "$work/out" ||
  fail "it does not say which library differs"

rm -r "$work/lib.0" "$work/lib.1"
cat >"$work/rank" <<'END'
#!/bin/sh
[ "${PMI_RANK-}${OMPI_COMM_WORLD_RANK-}" != 1 ] || export ROAM_NODE_RANKS=1
exec "$2"
END
! start || fail "ranks that are told nodes of different sizes are not refused"
grep -q "ROAM_NODE_RANKS: .* nodes of 1 and of 2; give all" "$work/out" ||
  fail "it does not say that ROAM_NODE_RANKS differs"
echo "layout_test: passed"
