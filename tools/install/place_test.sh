#!/usr/bin/env bash
# A program that is built with what pkg-config says of a prefix of one's own, or with the linker's
# own options for one, starts without LD_LIBRARY_PATH, and its thread travels.
#
# So does the installed roam-mpi, and runs a program of MPICH's compiler.
#
#   place_test.sh PLACE LIBRARY PROGRAM...     PROGRAM: as `./roam install` takes it
set -euo pipefail

place=$(readlink -f "$1")
library=$(readlink -f "$2")
mapfile -t programs < <(readlink -f "${@:3}")
top=$(dirname "$(dirname "$(dirname "$place")")")
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/place.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
  echo "place_test: FAILED: $*"
  exit 1
}

prefix=$work/own
"$place" "$library" 1.2.3 "$prefix" "$prefix/lib" '' "${programs[@]}"
"$place" "$library" 1.2.3 "$prefix" "$prefix/lib" '' "${programs[@]}"  # over what is there

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
[[ $(pkg-config --modversion roam) == 1.2.3 ]] || fail "the version is not what was said"
flags=$(pkg-config --cflags --libs roam)
# Unquoted: several words.
# shellcheck disable=SC2086
g++ -std=c++20 -O0 "$top/demos/hello/hello.cc" $flags -o "$work/hello" || fail "no program: $flags"
for node_ranks in 2 1; do
  env -u LD_LIBRARY_PATH ROAM_NODE_RANKS=$node_ranks timeout 100 tools/mpiexec -n 2 "$work/hello" \
    >"$work/out" || fail "the program ends with status $?"
  printf '0: from 0 to 0\n1: from 0 to 1\n' | cmp - "$work/out" || fail "it prints $(cat "$work/out")"
done
[[ $(readelf -d "$work/hello") == *'[libroam.so.1]'* ]] || fail "it does not look for libroam.so.1"

"$prefix/bin/roam-checkpoint" --help >/dev/null || fail "roam-checkpoint ends with status $?"
"$prefix/bin/roam-keeper" --hold 0 "$work" 0 || fail "roam-keeper ends with status $?"
"$prefix/bin/roam-balance-sim" --quick >/dev/null || fail "roam-balance-sim ends with status $?"

if [[ -e $prefix/bin/roam-mpi ]]; then # with MPICH
  mpicc.mpich -O0 "$top/tools/package/ring.c" -o "$work/ring" || fail "no program of MPI"
  for node_ranks in 2 1; do
    env -u LD_LIBRARY_PATH ROAM_NODE_RANKS=$node_ranks PATH="$prefix/bin:$PATH" timeout 100 \
      tools/mpiexec -n 2 roam-mpi -n 5 --move "$work/ring" >"$work/out" || fail "ring: status $?"
    echo "5 ranks, each with a variable of its own, sum 10" | cmp - "$work/out" ||
      fail "ring prints $(cat "$work/out")"
  done
  [[ -e $prefix/share/doc/roam-tools/mpi.md && -e $prefix/bin/roam-mpi-gdb.py ]] ||
    fail "what belongs to roam-mpi is not there"
fi

# Staged for /usr: nothing names the staging directory, and the loader's own places need no rpath.
"$place" "$library" 1.2.3 /usr /usr/lib/some "$work/stage" "${programs[@]}"
! grep -rlF -e "$work" -e rpath "$work/stage/usr/lib/some/pkgconfig" "$work/stage/usr/lib/some/cmake" ||
  fail "the files above name what is not there when they are installed"
for file in bin/roam-{balance-sim,checkpoint,keeper,ps,report,run} include/roam/roam.h lib/some/libroam.so \
  share/gdb/auto-load/usr/lib/some/libroam.so.1-gdb.py; do
  [[ -e $work/stage/usr/$file ]] || fail "/usr/$file is not staged"
done
[[ -z $(find "$work/stage" ! -path "$work/stage/usr*" ! -path "$work/stage") ]] ||
  fail "something is staged outside of /usr"

# Whatever the umask, for all users; in a folder whose name sed would take for something else.
(umask 077 && "$place" "$library" 1.2.3 "$work/o&n|e" "$work/o&n|e/lib" '' "${programs[@]}")
for line in "prefix=$work/o&n|e" "libdir=$work/o&n|e/lib"; do
  grep -qFx "$line" "$work/o&n|e/lib/pkgconfig/roam.pc" || fail "roam.pc has no line $line"
done
[[ -z $(find "$work/o&n|e" -type d ! -perm 755) ]] || fail "folders are closed to others"

# Where ./roam install puts the library, as --libdir says. What is built is not asked here.
mkdir -p "$work/bin"/{runtime/{api,keeper},tools/checkpoint,bench,mpi} "$work/path"
touch "$work/bin"/{runtime/api/libroam.so.1,runtime/keeper/roam-keeper,mpi/roam-mpi} \
  "$work/bin"/{tools/checkpoint/roam-checkpoint,bench/balance_sim}
printf '#!/bin/sh\n[ "$1" != info ] || echo "%s"\n' "$work/bin" >"$work/path/bazel"
chmod +x "$work/path/bazel"
installed() { # FOLDER [OPTION]...: the library is there
  rm -rf "$work/stage"
  (umask 077 && DESTDIR=$work/stage PATH=$work/path:$PATH "$top/roam" install --prefix /opt/r \
    "${@:2}") >"$work/out" 2>&1 || fail "install ${*:2}: $(<"$work/out")"
  [[ -e $work/stage$1/libroam.so.1 ]] || fail "install ${*:2}: $(find "$work/stage" -name '*.so.1')"
  [[ $(stat -c %a "$work/stage/opt/r") == 755 ]] || fail "PREFIX is closed to others"
}
installed /opt/r/lib
installed /opt/r/lib64 --libdir lib64
installed /usr/lib64 --libdir /usr/lib64
installed /opt/r/lib/some --libdir=/opt/r/lib/some
! "$top/roam" install --prefix "$work/a b" >"$work/out" 2>&1 || fail "a blank is taken"
grep -q "a b': pkg-config cannot name a folder with a blank" "$work/out" || fail "$(<"$work/out")"
echo "place_test: passed"
