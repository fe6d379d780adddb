#!/usr/bin/env bash
# A core of a rank has what lives in the arena, and little more: its size follows from what threads
# hold; gdb shows the signal's cause, live data, threads and their stacks.
#   core_test.sh PROGRAM SCRIPT
set -euo pipefail

program=$(readlink -f "$1") script=$(readlink -f "$2") mpiexec=$(readlink -f tools/mpiexec)
command -v gdb >/dev/null || { echo "SKIPPED: gdb is not installed"; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

fail() {
  echo "core_test: $case: $*"
  cat output
  ls -ls
  exit 1
}
expect() { grep -Eq -- "$1" output || fail "no line matches: $1"; }

mib=24 # that threads hold
# Libraries that MPICH loads have 80 to 110 MiB of their own, by what is installed (plugins of hwloc);
# Open MPI's and its shared memory have 210.
least=$((mib << 20)) most=$((mib + 300 << 20))
ask() { timeout $((100 * ${PATIENCE:-1})) gdb --batch -nx -iex 'set auto-load off' "$@" </dev/null >output 2>&1 || fail "gdb failed"; }
crash() { # HOW RANKS: runs it, leaves the core as `the_core`
  rm -f core* the_core
  timeout $((100 * ${PATIENCE:-1})) env HOME="$dir" TMPDIR="$dir" "$mpiexec" -n "$2" \
    "$program" "$1" "$mib" >output 2>&1 </dev/null && fail "the launcher says 0"
  local cores=(core*)
  [[ -e ${cores[0]} && ${#cores[@]} == 1 ]] || fail "${#cores[@]} cores: ${cores[*]}"
  mv "${cores[0]}" the_core
}
look() { # asks gdb of `the_core`
  ask -ex "source $script" \
    -ex 'printf "signal %d code %d address %#lx\n", $_siginfo.si_signo, $_siginfo.si_code, (unsigned long)$_siginfo._sifields._sigfault.si_addr' \
    -ex 'printf "held %d %d, number %d\n", (*(int**)&crash_first_of_held)[0], (*(int**)&crash_first_of_held)[100000], *(int*)&crash_number' \
    -ex 'roam threads' -ex 'echo holder:\n' -ex 'roam bt holder' -ex 'echo crashed:\n' -ex 'bt 30' \
    "$program" the_core
}
check() { # SIGNAL CODE ADDRESS, as expressions
  expect "^signal $1 code $2 address $3$"
  check_live
}
check_live() {
  expect '^held 1000 101000, number 4711$'
  expect "^ +[0-9]+  [01] +waiting +'holder' +Mutex at 0x[0-9a-f]+"
  expect "^ +[0-9]+  [01] +running "
  sed '/^crashed:/,$d; 1,/^holder:/d' output >stack
  grep -Eq '^#[0-9]+ .*crash_hold' stack || fail "roam bt does not show crash_hold"
  sed '1,/^crashed:/d' output >stack
  grep -Eq '^#[0-9]+ .*(crash_now|overflow)' stack || fail "not the place"
}
check_size() { # what it takes on disk, and what it seems to have
  local seen taken
  seen=$(stat -c %s the_core) taken=$(($(stat -c %b the_core) * 512))
  ((taken >= least && taken <= most)) || fail "the core takes $taken bytes, of $least to $most"
  ((seen <= most + (1 << 30))) || fail "the core is $seen bytes long"
}

case="gdb's, of a process that goes on"
ask -ex 'break crash_now' -ex "run quit $mib" -ex 'call (void)roam_prepare_core()' \
  -ex 'generate-core-file the_core' -ex kill "$program"
check_size
look
check_live

pattern=$(</proc/sys/kernel/core_pattern)
if [[ $pattern == */* || $pattern == '|'* ]]; then
  echo "core_test: passed; NOT TRIED: the kernel's cores, which go to $pattern here"
  exit 0
fi
# Nothing here needs so much; what would fill the disk is stopped by it.
ulimit -c $((1 << 20)) 2>/dev/null || {
  echo "core_test: passed; NOT TRIED: the kernel's cores, whose hard limit is below 1 GiB"
  exit 0
}

any='-?[0-9]+' place='0x[0-9a-f]+'
for nodes in 1 2; do
  export ROAM_NODE_RANKS=$((3 - nodes))
  while read -r how signal code address; do
    case="$how, 2 ranks on $nodes nodes"
    crash "$how" 2
    check_size
    look
    check "$signal" "$code" "$address"
    echo "core_test: $case: $(stat -c '%s bytes, %b blocks' the_core)"
  done <<END
write 11 1 0x1234
divide 8 1 $place
illegal 4 2 $place
trap 5 $any $any
abort 6 $any .*
quit 3 $any .*
terminate 6 $any .*
overflow 11 $any 0x2[0-9a-f]+
free 6 $any .*
END
done
case="write, alone" ROAM_NODE_RANKS=0
crash write 1
check_size
look
check 11 1 0x1234
echo "core_test: passed"
