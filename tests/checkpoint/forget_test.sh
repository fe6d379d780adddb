#!/usr/bin/env bash
# roam-checkpoint tells what keepers of this machine hold of a folder, and has them end: those of the
# newest job there, of an earlier one, and of a folder that is gone.
#
#   forget_test.sh ROAM_CHECKPOINT EXAMPLE KEEP KEEPER
set -u
processes=$(realpath "$(dirname "$0")/processes.sh")
tool=$(realpath "$1") example=$(realpath "$2") keep=$(realpath "$3") keeper=$(realpath "$4")
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/forget.XXXXXX")
cd "$work" || exit 1

# shellcheck source=tests/checkpoint/processes.sh
source "$processes"
trap end_all EXIT
fail() {
  echo "FAILED: $*"
  cat out
  exit 1
}
run() { # STATUS ARGUMENT...
  local wanted=$1 status=0
  shift
  "$tool" "$@" >out 2>&1 || status=$?
  ((status == wanted)) || fail "$* ends with status $status, not $wanted"
}
has() { grep -qE -- "$1" out || fail "no line has '$1'"; }
left() { # NUMBER: so many keepers run soon
  for _ in $(seq 200); do
    (($(keepers | wc -l) != $1)) || return 0
    sleep 0.1
  done
  fail "not $1 keepers: $(keepers)"
}
put() { "$keep" put "$keeper" dir "$1" 000002 piece-0 || fail "put $1"; }

"$example" "$work/dir" 2 || fail "no example"
run 0 list dir
! grep -q memory out || fail "there is nothing in memory"
run 0 forget dir
has '^no keeper of this user on this machine has checkpoints of dir in memory$'
has 'on other machines'

put 0
put 7
"$keep" commit "$keeper" dir 0 000002 || fail commit
left 2
run 0 list dir
has '^000002  in memory of node 0: 1 file  [0-9.]+ KiB  complete$'
has '^000002  in memory of node 7: 1 file  [0-9.]+ KiB  being made, or complete on another node$'
has '^000002 .* whole$'
rm dir/keepers # a job that begins has another name for its own
put 0
left 3
cp -r dir "dir2" # whose name begins alike
run 0 forget dir2
left 3
mkdir elsewhere
(cd elsewhere && run 0 forget ../dir/) || exit 1
left 0
put 0
ln -s dir link
run 0 forget link
left 0
run 0 verify dir
[[ $(grep -c 'every checksum is right' out) == 2 ]] || fail "what is on disk is not whole"

# One does not answer, the other ends all the same.
put 0
hung=$(keepers)
kill -STOP "$hung"
put 1
left 2
run 1 forget dir
has 'no answer for'
has '^the keeper of node 1 has given it back'
left 1
kill -CONT "$hung"
rm -rf dir
run 0 list dir
has 'in memory of node 0'
run 0 forget dir
left 0
run 1 list dir
run 1 verify dir
"$tool" forget >out 2>&1 && fail "no folder is no error"
echo "forget_test: passed"
