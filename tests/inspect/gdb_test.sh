#!/usr/bin/env bash
# tools/gdb/roam.py shows threads of a live process and of a core, and changes nothing in it.
#   gdb_test.sh PROGRAM SCRIPT
set -euo pipefail

program=$1 script=$2
command -v gdb >/dev/null || { echo "SKIPPED: gdb is not installed"; exit 0; }

# A small arena, so that a core with all of it, empty or not, is small.
export ROAM_ARENA=0x200000000000,256M
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
  echo "gdb_test: $*"
  cat "$dir/output"
  exit 1
}
expect() { grep -Eq "$1" "$dir/output" || fail "no line matches: $1"; }

ask() {
  timeout $((100 * ${PATIENCE:-1})) gdb --batch -nx -iex 'set auto-load off' "$@" </dev/null >"$dir/output" 2>&1 ||
    fail "gdb failed"
}

look=(-ex 'roam threads' -ex 'roam bt waiter' -ex 'roam bt sleeper')
check_threads() {
  expect "^ +[0-9]+  0 +waiting +'waiter' +Mutex at 0x[0-9a-f]+"
  expect "^ +[0-9]+  0 +sleeping +'sleeper'"
  # It holds the lock that the waiter waits for, in its own memory.
  expect "^ +[0-9]+  0 +running .* locks 1, tied 1$"
  # The recursion that waits, frame by frame, and who called it.
  (($(grep -c 'wait_deep_down' "$dir/output") == 4)) || fail "not 4 frames of wait_deep_down"
  expect "^#[0-9]+ .*sleep_a_little"
  # (gdb's line of the rank's own stack may be in a library that has no symbols.)
  ! grep -q '?? ()$' "$dir/output" || fail "a stack goes on beyond its end"
}

ask -ex 'set breakpoint pending on' -ex 'break stop_here' -ex run -ex "source $script" \
  -ex 'printf "before %#lx %#lx\n", $rip, $rsp' "${look[@]}" \
  -ex 'roam bt nobody' \
  -ex 'printf "after %#lx %#lx\n", $rip, $rsp' -ex 'bt 1' \
  -ex continue "$program"
check_threads
expect "no thread on this node has the id or the name nobody"
[[ $(sed -n 's/^before //p' "$dir/output") == "$(sed -n 's/^after //p' "$dir/output")" ]] ||
  fail "registers changed"
expect "^#0 .*stop_here"
expect "waiting: all joined, depth 3"
expect "exited normally"

ask -ex "source $script" -ex 'roam threads' -ex 'echo end' "$program"
expect "roam::run has not started here"

# The kernel's core, where it writes one to the working directory. (gdb's own stops writing a mapping
# at the first guard page.)
program=$(readlink -f "$program") script=$(readlink -f "$script")
pattern=$(</proc/sys/kernel/core_pattern)
cd "$dir"
if [[ $pattern == */* || $pattern == '|'* ]] || ! ulimit -c unlimited 2>/dev/null; then
  echo "gdb_test: passed; NOT TRIED: a core, which goes to $pattern here"
  exit 0
fi
timeout $((100 * ${PATIENCE:-1})) "$program" 3 >"$dir/output" 2>&1 && fail "it did not end by a signal"
cores=("$dir"/core*)
[[ -e ${cores[0]} ]] || fail "the kernel wrote no core"
ask -ex "source $script" "${look[@]}" "$program" "${cores[0]}"
check_threads
echo "gdb_test: passed"
