#!/usr/bin/env bash
# A job that went on from what keepers have stays connected to them: it is there still, long after
# they would have ended, if the job is killed before it has made a newer checkpoint. When one is on
# disk, they are let go.
#
#   held_test.sh MPIEXEC DISK KEEPER
set -u
processes=$(realpath "$(dirname "$0")/processes.sh")
mpiexec=$(realpath "$1") program=$(realpath "$2") keeper=$(realpath "$3")
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_held.XXXXXX")
# shellcheck source=tests/checkpoint/processes.sh
source "$processes"
trap 'kill -9 $(ranks_of) 2>/dev/null; end_all' EXIT
cd "$work" || exit 1
unset ROAM_NODE_RANKS ROAM_RESTART ROAM_CHECKPOINT
patience=${PATIENCE:-1}

# A keeper that ends when nobody has been connected for so long.
hold_s=$((10 * patience))
printf '#!/bin/sh\nshift 2\nexec "%s" --hold %d "$@"\n' "$keeper" $hold_s >short_keeper
chmod +x short_keeper
export ROAM_KEEPER=$work/short_keeper ROAM_RECORD=$work/d/record

fail() {
  echo "held_test: FAILED: $*"
  tail -n 20 printed said
  exit 1
}
restarts() { # PARTS OF ROAM_CHECKPOINT: in the background, when it has read its checkpoint
  rm -f d/record*
  ROAM_RESTART=$work/d ROAM_CHECKPOINT=$work/d,$1 timeout $((200 * patience)) \
    "$mpiexec" -n 2 "$program" $seconds >printed 2>said </dev/null &
  soon test -s d/record.from || fail "no restart"
  [[ $(<d/record.from) == "checkpoint 000003, from memory" ]] || fail "$(<d/record.from)"
}
kill_all() {
  local ranks
  mapfile -t ranks < <(ranks_of)
  ((${#ranks[@]} == 2)) || fail "no two ranks run"
  kill -9 "${ranks[@]}"
  wait
}

# Three are in memory, none is on disk.
seconds=$((60 * patience))
ROAM_CHECKPOINT=$work/d,every=1s,memory=on,disk=0 timeout $((200 * patience)) \
  "$mpiexec" -n 2 "$program" $seconds none 0 4 >printed 2>said </dev/null &&
  fail "it was to be killed"
restarts every=1h,memory=on
sleep $((hold_s + 4))
kill_all
restarts every=1h
sleep $((hold_s + 4))
kill_all
echo "ok: it is there still"

restarts every=1s
soon test -e d/000004/manifest || fail "nothing comes to the disk"
soon none_left || fail "keepers are held, and something newer is on disk"
kill_all
echo "held_test: passed"
