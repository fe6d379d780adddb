#!/usr/bin/env bash
# tools/roam-ps lists the threads of a running job from outside; the job ends well afterwards.
#   roam_ps_test.sh PROGRAM ROAM_PS
set -euo pipefail

program=$1 roam_ps=$2
dir=$(mktemp -d)
trap 'kill -CONT $(<"$dir/pid") 2>/dev/null || true; rm -rf "$dir"' EXIT
fail() {
  echo "roam_ps_test: $*"
  rm -f "$dir/waiting"
  cat "$dir"/*
  exit 1
}

cp "$program" "$dir/waiting"
# It stops itself where its threads wait, so that they are there when they are looked for.
timeout $((100 * ${PATIENCE:-1})) sh -c 'echo $$ >"$0/pid"; exec "$1" 19' "$dir" "$dir/waiting" >"$dir/program" 2>&1 &
job=$!
for _ in $(seq 500); do
  [[ -s $dir/pid ]] && pid=$(<"$dir/pid") && grep -q '^State:.T' "/proc/$pid/status" && break
  kill -0 "$job" || fail "it ended"
  sleep 0.1
done

"$roam_ps" "$pid" >"$dir/list" || fail "roam-ps failed"
grep -Eq "^rank 0 of 1  process $pid  [0-9.]+ MiB .* threads: 3  1 running  1 sleeping  1 waiting$" \
  "$dir/list" || fail "the rank's line is wrong"
grep -Eq "^ +[0-9]+  waiting +'waiter' +Mutex$" "$dir/list" || fail "waiter is missing"
grep -Eq "^ +[0-9]+  sleeping +'sleeper'" "$dir/list" || fail "sleeper is missing"
"$roam_ps" >"$dir/all" && grep -q "process $pid " "$dir/all" || fail "not found without its number"
# As when it is built anew while it runs: its name is another file's.
rm "$dir/waiting"
echo "none of it" >"$dir/waiting"
"$roam_ps" "$pid" >"$dir/list2" && grep -Eq "^ +[0-9]+  waiting +'waiter' +Mutex$" "$dir/list2" ||
  fail "not found by its own file"

kill -CONT "$pid"
wait "$job" || fail "the job did not end well"
grep -q 'all joined, depth 3' "$dir/program" || fail "its threads did not go on"
echo "roam_ps_test: passed"
