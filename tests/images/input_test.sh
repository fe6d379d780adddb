#!/usr/bin/env bash
# A virtual rank that has a file open on another rank than the first is not given another input when
# it reads a stream, but told; and what virtual ranks start does not read another one's input.
#
#   input_test.sh RUN_IMAGES MPIEXEC SOURCE
set -u
run_images=$1 mpiexec=$2 source=$3
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
fail() {
  echo "FAILED: $*"
  cat "$scratch/out" "$scratch/err"
  exit 1
}
run() { # RANKS PROGRAM [ARGUMENT]...
  timeout $((100 * ${PATIENCE:-1})) "$mpiexec" -n "$1" "$run_images" -n 4 --move "${@:2}" \
    >"$scratch/out" 2>"$scratch/err" <"$scratch/input"
  status=$?
}
seq 10000 >"$scratch/input"
gcc -O1 -o "$scratch/program" "$source" || exit 1
run 1 "$scratch/program" stream
((status == 0)) || fail "one rank: status $status"
run 2 "$scratch/program" stream
((status != 0)) || fail "it reads another input"
cat "$scratch/out" "$scratch/err" >"$scratch/all"
grep -q "virtual rank 0 is on rank 1, and the standard input is rank 0's: .*/dev/null\|FILE" "$scratch/all" ||
  fail "it is not said why"
echo "ok: a stream"

cat >"$scratch/starts.c" <<'E2'
#include <stdio.h>
#include <stdlib.h>
int main(void) {
  char line[100] = "nothing";
  if (atoi(getenv("ROAM_VIRTUAL_RANK")) == 0) return 0;
  FILE* started = popen("cat", "r");
  fgets(line, sizeof line, started);
  pclose(started);
  printf("%s, status %d\n", line, system("test -z \"$(cat)\""));
  return 0;
}
E2
gcc -O1 -o "$scratch/program" "$scratch/starts.c" || exit 1
run 1 "$scratch/program"
((status == 0)) || fail "started: status $status"
(($(grep -c '^nothing, status 0$' "$scratch/out") == 3)) || fail "what is started reads what is not its own"
echo "ok: what is started"
