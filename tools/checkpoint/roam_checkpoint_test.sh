#!/usr/bin/env bash
# roam-checkpoint lists, verifies and shows checkpoints, and names what is wrong with one.
#
#   roam_checkpoint_test.sh ROAM_CHECKPOINT EXAMPLE
set -u

tool=$1
example=$2
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/checkpoint.XXXXXX")
trap 'rm -rf "$work"' EXIT
dir=$work/dir

fail() {
  echo "roam_checkpoint_test: FAILED: $*"
  [[ ! -e $work/out ]] || cat "$work/out"
  exit 1
}
# run STATUS ARGUMENT...: out has what it prints.
run() {
  local wanted=$1 status=0
  shift
  "$tool" "$@" >"$work/out" 2>&1 || status=$?
  ((status == wanted)) || fail "$* ends with status $status, not $wanted"
}
has() {
  grep -qE -- "$1" "$work/out" || fail "no line has '$1'"
}

"$example" "$dir" 3 || fail "no example"
run 0 list "$dir"
has '^000003  20..-..-..T..:..:..Z  1 rank  1 thread  .* KiB  whole$'
[[ $(wc -l <"$work/out") == 3 ]] || fail "not 3 lines"
run 0 verify "$dir/"
[[ $(grep -c 'every checksum is right' "$work/out") == 3 ]] || fail "not 3 that are right"
! grep -q 'is no part of it' "$work/out" || fail "something is no part"
touch "$dir/000002/notes"
run 0 verify "$dir"
has '^        notes is no part of it$'
rm "$dir/000002/notes"
run 0 show "$dir"
has '^000003 .*/dir/000003$'
has "departing +'a thread whose name does not fit into its control block' .*stack"
has '^  block of 195.3 KiB at 0x'
has '^  module .*build-id'
run 0 show "$dir/000001"
has '^000001 '

# A byte of memory, of the newest.
was=$(dd if="$dir/000003/piece-0" bs=1 skip=5000 count=1 status=none | tr -d '\0')
other=x
[[ $was != x ]] || other=y
printf %s "$other" | dd of="$dir/000003/piece-0" bs=1 seek=5000 conv=notrunc status=none
run 0 list "$dir"
has '^000003 .* whole$'
run 1 verify "$dir"
has '^roam-checkpoint: .*/000003/piece-0 at byte 4096: the .* bytes of memory from 0x'
[[ $(grep -c 'every checksum is right' "$work/out") == 2 ]] || fail "the others are right"
# Its end.
truncate -s -1000 "$dir/000003/piece-0"
run 0 list "$dir"
has '^000003  torn: .*/000003/piece-0 at byte [0-9]+: the file has'
run 1 verify "$dir/000003"
run 1 show "$dir"
# Its manifest.
rm "$dir/000003/manifest"
run 0 list "$dir"
has '^000003  torn: .*/000003/manifest: open: No such file'
run 0 show "$dir"
has '^000002 '

run 1 list "$work/none"
has "$work/none: opendir: No such file"
mkdir "$work/empty"
run 1 verify "$work/empty"
has 'there is no checkpoint in it'
run 0 --help
has 'verify'
"$tool" >/dev/null 2>&1 && fail "nothing to do is no error"
"$tool" list >/dev/null 2>&1 && fail "no folder is no error"
if chown 12345 "$dir/000002/manifest" 2>/dev/null; then # not in a sandbox
  run 0 list "$dir"
  has '^000002  torn: .*belongs to user 12345, and this is user 0'
  run 0 list --of-others "$dir"
  has '^000002 .* whole$'
fi
echo "roam_checkpoint_test: passed"
