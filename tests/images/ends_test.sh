#!/usr/bin/env bash
# However a virtual rank ends, the job does, with its status and a message that names it.
#
#   ends_test.sh RUN_IMAGES MPIEXEC SOURCE
set -u
ulimit -c 0
run_images=$1 mpiexec=$2 source=$3
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
g++ -std=c++17 -O1 -o "$scratch/program" "$source" || exit 1
failures=0

# ends HOW STATUS AT_EXIT TEXT...: a status of 128 and more is a signal's, which launchers tell
# otherwise; AT_EXIT virtual ranks call what they asked for at exit (-: it is not known).
ends() {
  local how=$1 wanted=$2 at_exit=$3 ranks status launch text
  shift 3
  for ranks in 0 2; do
    launch=()
    ((ranks == 0)) || launch=("$mpiexec" -n "$ranks")
    timeout $((60 * ${PATIENCE:-1})) "${launch[@]}" "$run_images" -n 4 --move "$scratch/program" "$how" \
      >"$scratch/out" 2>"$scratch/err" </dev/null
    status=$?
    if ((status == 124)) || ((status == 0)) || { ((wanted < 128)) && ((status != wanted)); }; then
      echo "FAILED: $how, $ranks ranks: status $status, wanted $wanted" && cat "$scratch/err"
      failures=$((failures + 1))
    fi
    for text in "$@"; do
      # A launcher passes on both streams as one, if it likes.
      grep -qF -- "$text" "$scratch/err" "$scratch/out" && continue
      echo "FAILED: $how, $ranks ranks: no \"$text\":" && cat "$scratch/err"
      failures=$((failures + 1))
    done
    if [[ $at_exit != - ]] && (($(grep -c "at exit" "$scratch/out") != at_exit)); then
      echo "FAILED: $how, $ranks ranks: not $at_exit times \"at exit\"" && cat "$scratch/out"
      failures=$((failures + 1))
    fi
  done
}

ends segv 139 - "thread 'virtual rank 2': segmentation fault at address 0x8" \
  "thread 'virtual rank 2': in fall_here(int*) (program+0x" "  called from main (program+0x"
ends abort 134 - "thread 'virtual rank 2': abort" "thread 'virtual rank 2': in main (program+0x"
ends assert 134 - "program: " "Assertion" "thread 'virtual rank 2': abort" "in main (program+0x"
ends throw 134 - "terminate called" "thrown by hand" "thread 'virtual rank 2': abort" \
  "  called from main (program+0x"
ends exit 77 4
ends at_once 78 3
ends quick 79 3
ends deep 1 - "stack overflow in thread 'virtual rank 2'" \
  "called from (anonymous namespace)::deep(int) (program+0x"
ends code 1 - "thread 'virtual rank 2'" "access to"
ends fork 80 4 "virtual rank 2" "fork in a virtual rank is refused" "posix_spawn"
ends smashed 134 - "stack smashing detected" "thread 'virtual rank 2': abort"
ends fortified 134 - "%n in writable segment detected" "thread 'virtual rank 2': abort"
ends unwind 1 - "virtual rank 2" "pthread_exit in a virtual rank was caught"
ends exec 83 4 "virtual rank 2" "exec and its kin in a virtual rank is refused" "posix_spawn"
ends handler 81 4 "virtual rank 2" "signal 10 (USR1)" "refused"
ends globbed 84 4
ends clone 85 4 "virtual rank 2" "clone in a virtual rank is refused" "posix_spawn"
ends sigset 86 4 "virtual rank 2" "signal 10 (USR1)" "refused"
ends sigaction 87 4 "virtual rank 2" "signal 10 (USR1)" "refused"
for how in alarm alarm_asleep alarm_let_in; do
  ends "$how" 142 - "virtual rank 2: its alarm has come (SIGALRM"
done
ends processor_timer 88 4 "virtual rank 2" "ITIMER_PROF) in a virtual rank is refused" "ITIMER_REAL"
ends thread 82 4 "virtual rank 2" "pthread_create in a virtual rank is refused" "OMP_NUM_THREADS=1"
((failures == 0)) || exit 1
echo ok
