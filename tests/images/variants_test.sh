#!/usr/bin/env bash
# Programs as other compilers, linkers and options make them run as virtual ranks all the same: two on
# each of two nodes, sent on with each turn.
#
#   variants_test.sh RUN_IMAGES MPIEXEC C_SOURCE CXX_SOURCE FORTRAN_SOURCE FILES_SOURCE...
set -u
run_images=$1 mpiexec=$2 c=$3 cxx=$4 fortran=$5
shift 5
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
failures=0

# runs COMPILER...: as processes do. What cannot be built here is told of.
runs() {
  local i
  if ! "$@" -o "$scratch/program" >"$scratch/log" 2>&1; then
    echo "SKIPPED: $*: $(tail -n 1 "$scratch/log")"
    return
  fi
  for i in 0 1 2 3; do
    ROAM_VIRTUAL_RANK=$i ROAM_VIRTUAL_RANKS=4 "$scratch/program" 2>/dev/null
  done | sort >"$scratch/wanted"
  ROAM_NODE_RANKS=1 timeout $((60 * ${PATIENCE:-1})) "$mpiexec" -n 2 "$run_images" -n 4 --move "$scratch/program" \
    2>"$scratch/err" </dev/null | sort >"$scratch/got"
  if [[ -s $scratch/wanted ]] && diff "$scratch/wanted" "$scratch/got"; then
    echo "ok: $*"
  else
    echo "FAILED: $*: < is what processes print" && cat "$scratch/err"
    failures=$((failures + 1))
  fi
}

for option in -O0 "-O3 -march=native" -s -flto -fno-plt "-fstack-protector-all -fcf-protection=full" \
  -rdynamic -Wl,-z,pack-relative-relocs -Wl,-z,now -Wl,-z,norelro -Wl,--hash-style=sysv \
  -Wl,-z,noseparate-code -Wl,-z,max-page-size=0x200000 -fuse-ld=gold -fuse-ld=lld; do
  # shellcheck disable=SC2086  # several options
  runs gcc $option "$c"
done
for option in -O0 -s "-static-libgcc -static-libstdc++" -Wl,-z,pack-relative-relocs -fuse-ld=lld; do
  # shellcheck disable=SC2086
  runs g++ -std=c++17 $option "$cxx"
done
# Functions of other names, in programs of C that do much with files.
for source in "$@"; do
  runs gcc -O2 -D_FORTIFY_SOURCE=2 "$source"
  runs gcc -O1 -D_FILE_OFFSET_BITS=64 "$source"
done
runs clang -O2 -fPIE -pie "$c"
runs clang++ -std=c++17 -O2 -fPIE -pie "$cxx"
runs gfortran "-J$scratch" -O0 -fcheck=all "$fortran"
runs gfortran "-J$scratch" -static-libgfortran "$fortran"
OMP_NUM_THREADS=1 runs gfortran "-J$scratch" -fopenmp "$fortran"
# LLVM's library of OpenMP, which wants to be the only one of a process.
echo '#include <omp.h>
#include <stdio.h>
#include "turns.h"
int main(void) {
  int i, sum = 0;
#pragma omp parallel for reduction(+ : sum)
  for (i = 0; i < 100; ++i) sum += i * my_number();
  take_turn();
  printf("%d: %d of at least %d\n", my_number(), sum, omp_get_max_threads() > 0);
  return 0;
}' >"$scratch/team.c"
OMP_NUM_THREADS=1 runs clang -fopenmp "-I$(dirname "$c")" "$scratch/team.c"
((failures == 0)) || exit 1
