#!/usr/bin/env bash
# A job on two hosts, which are network namespaces, under `roam run --memory`: one host is lost
# whole, with its ranks and its keeper, and comes back empty. The job goes on from what the other
# host's keeper has, to the right answer.
#
#   two_hosts_test.sh ROAM_RUN PROGRAM KEEPER NETNS_MPIEXEC
set -u
roam_run=$(readlink -f "$1") program=$(readlink -f "$2") launcher=$(readlink -f "$4")
ROAM_KEEPER=$(readlink -f "$3")
export ROAM_KEEPER ROAM_NETNS=rck$$
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_hosts.XXXXXX")
export TMPDIR=$work HOME=$work
patience=$((240 * ${PATIENCE:-1}))

end_all() {
  local host pid
  for host in "${ROAM_NETNS}A" "${ROAM_NETNS}B"; do
    for pid in $(ip netns pids "$host" 2>/dev/null); do kill -9 "$pid"; done
    ip netns del "$host" 2>/dev/null
  done
  rm -rf "$work"
}
trap end_all EXIT
fail() {
  echo "two_hosts_test: FAILED: $*"
  tail -n 40 "$work/out" "$work/err"
  exit 1
}

"$launcher" -n 4 "$program" well - 600 200 >"$work/out" 2>"$work/err" || fail "status $? without kills"
if grep SKIPPED "$work/out"; then exit 0; fi
right=$(grep rounds: "$work/out") || fail "it prints nothing"

timeout $patience "$roam_run" -n 4 --checkpoint "$work/d" --every 1 --memory \
  --launcher "$launcher" "$program" well - 600 130000 >"$work/out" 2>"$work/err" &
supervisor=$!
for _ in $(seq $((600 * ${PATIENCE:-1}))); do
  [[ ! -e $work/d/000001/manifest ]] || break
  sleep 0.1
done
sleep 3
for pid in $(ip netns pids "${ROAM_NETNS}B"); do kill -9 "$pid"; done
wait "$supervisor" || fail "status $?"
[[ $(grep rounds: "$work/out") == "$right" ]] || fail "it does not print '$right'"
grep -q "it went on from checkpoint 0.*, from the buddy" "$work/err" || fail "not from the buddy"
echo "two_hosts_test: passed"
