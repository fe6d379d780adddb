#!/usr/bin/env bash
# tools/gdb/roam.py knows the functions and variables of programs of virtual ranks, of each its own.
#   images_test.sh RUN_IMAGES SCRIPT SOURCE
set -euo pipefail

run_images=$1 script=$2 source=$3
command -v gdb >/dev/null || { echo "SKIPPED: gdb is not installed"; exit 0; }
command -v gcc >/dev/null || { echo "SKIPPED: there is no gcc here"; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export HOME=$dir
gcc -g -O1 -fno-optimize-sibling-calls -o "$dir/program" "$source"

fail() {
  echo "images_test: $*"
  cat "$dir/output"
  exit 1
}
expect() { grep -Eq "$1" "$dir/output" || fail "no line matches: $1"; }

timeout 100 gdb --batch -nx -iex 'set auto-load off' -ex run -ex "source $script" -ex 'roam threads' \
  -ex 'echo -- suspended\n' -ex "roam bt 'virtual rank 1'" \
  -ex 'echo -- symbols\n' -ex "roam symbols 'virtual rank 0'" -ex "roam symbols 'virtual rank 0'" \
  -ex 'echo -- running\n' -ex 'bt' \
  -ex 'frame function stop_in_program' -ex 'print own_number' \
  -ex 'echo -- wrong\n' -ex 'roam symbols nobody' -ex kill \
  --args "$run_images" -n 3 "$dir/program" </dev/null >"$dir/output" 2>&1 || fail "gdb failed"

# part NAME: what was said after that line.
part() { sed -n "/^-- $1\$/,/^-- /p" "$dir/output"; }
(($(part suspended | grep -c 'wait_in_program (depth=.*[0-3])') == 4)) ||
  fail "not 4 frames of wait_in_program"
part suspended | grep -Eq '^#[0-9]+ .*main \(\)' || fail "main did not call it"
part symbols | grep -Eq "^[1-9][0-9]* files of 'virtual rank 0', of which [1-9]" || fail "nothing added"
part symbols | grep -Eq "of which 0 were added" || fail "added again"
part running | grep -Eq '^#[0-9]+ .*stop_in_program \(\)' || fail "the running one has no names"
part running | grep -Eq '^\$1 = 100$' || fail "the variable is not its own"
expect "no thread on this node has the id or the name nobody"
echo "images_test: passed"
