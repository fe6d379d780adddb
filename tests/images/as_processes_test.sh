#!/usr/bin/env bash
# A program that knows nothing of Roam, built here by the distribution's compiler, prints as 8 virtual
# ranks what 8 processes print, and leaves the same in files left.*: with one rank and several, on one
# node and many, and when each turn ends on another rank than the one before. So does a virtual rank
# that is alone, and comes back to processes where nobody was in between. The first process, and the
# launcher, are given an input.
#
#   as_processes_test.sh RUN_IMAGES MPIEXEC SOURCE [ARGUMENT]...
set -u
run_images=$1 mpiexec=$2 source=$3
shift 3
virtual_ranks=8

scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
fail() {
  echo "FAILED: $*"
  exit 1
}

case $source in
  *.c) compile=(gcc -O2) ;;
  *.cc) compile=(g++ -std=c++17 -O2) ;;
  *.f90) compile=(gfortran -O2 "-J$scratch") ;;
esac
command -v "${compile[0]}" >/dev/null || { echo "SKIPPED: there is no ${compile[0]} here"; exit 0; }
libraries=()
if [[ -e ${source%.*}_library.c ]]; then # a private one
  gcc -O2 -shared -fPIC -o "$scratch/libown.so" "${source%.*}_library.c" -lm ||
    fail "the library of $source cannot be compiled"
  libraries=("$scratch/libown.so" "-Wl,-rpath,$scratch")
fi

if [[ -e ${source%.*}_plugin.cc ]]; then # in several parts, and the program has what they need
  mkdir "$scratch/folder"
  part() { # NUMBER PATH [OPTION]...
    g++ -std=c++17 -O2 -shared -fPIC "-DPART=$1" -o "$scratch/$2" "${source%.*}_plugin.cc" \
      "${@:3}" || fail "part $1 of the plug-in cannot be compiled"
  }
  part 2 libtwo.so
  part 1 libone.so "-L$scratch" -ltwo "-Wl,-rpath,\$ORIGIN"
  part 3 libthree.so
  part 4 folder/libfour.so "-Wl,-rpath,\$ORIGIN"
  part 5 folder/libfive.so
  part 6 libsix.so
  libraries=(-rdynamic "-Wl,-rpath,$scratch")
fi

seq 2400 | sed 's/.*/& word&/' >"$scratch/input"

# take_left FILE: adds what is in files that a run has left to what it printed.
take_left() {
  local file
  for file in "$scratch"/left.*; do
    [[ -e $file ]] && cat "$file" >>"$1" && rm "$file"
  done
}

# in_pieces FILE: what libc's error() and err() write of a line at once (name, message and the text of
# errno), a line each, sorted: the launcher puts what comes from another process between any two of them.
in_pieces() {
  sed -i -E "s/message [0-9]+|err(or)? of [0-9]/\n&\n/g; s|$scratch/program: |\n$scratch/program:\n|g
    s/: (No such file or directory|Permission denied)/\n&\n/g; s/(^|[^/])(program: )/\1\n\2\n/g" "$1"
  sed -i '/^$/d' "$1"
  sort -o "$1" "$1"
}

# build [OPTION]...: the program, and what processes of it print.
build() {
  "${compile[@]}" "$@" -o "$scratch/program" "$source" "${libraries[@]}" -lm ||
    fail "$source cannot be compiled"
  rm -f "$scratch"/wanted*
  wanted_status=0
  input=$scratch/input
  for ((i = 0; i < virtual_ranks; ++i)); do
    ROAM_VIRTUAL_RANK=$i ROAM_VIRTUAL_RANKS=$virtual_ranks "$scratch/program" "${arguments[@]}" \
      >>"$scratch/wanted" 2>>"$scratch/wanted_errors" <"$input"
    status=$?
    input=/dev/null
    ((wanted_status != 0)) || wanted_status=$status
  done
  take_left "$scratch/wanted"
  sort -o "$scratch/wanted" "$scratch/wanted"
  in_pieces "$scratch/wanted_errors"
}

# compare RANKS [OPTION]...: what the ranks of that many processes print.
compare() {
  local ranks=$1 launch=() status
  shift
  ((ranks == 0)) || launch=("$mpiexec" -n "$ranks")
  rm -f "$scratch/errors"
  # Open MPI 5's launcher puts pieces of what ranks write to stderr into stdout.
  timeout $((100 * ${PATIENCE:-1})) "${launch[@]}" bash -c 'exec "$@" 2>>"$0"' "$scratch/errors" \
    "$run_images" -n "$virtual_ranks" "$@" "$scratch/program" \
    "${arguments[@]}" >"$scratch/got" 2>>"$scratch/errors" \
    <"$scratch/input"
  status=$?
  local run="$ranks ranks, ROAM_NODE_RANKS=${ROAM_NODE_RANKS-}, options $*"
  take_left "$scratch/got"
  sort -o "$scratch/got" "$scratch/got"
  # A launcher has something to say of a status that is not 0.
  cp "$scratch/errors" "$scratch/all_errors"
  in_pieces "$scratch/all_errors"
  grep -Fxf "$scratch/wanted_errors" "$scratch/all_errors" >"$scratch/got_errors"
  if ! diff "$scratch/wanted" "$scratch/got" || ((status != wanted_status)) ||
    ! diff "$scratch/wanted_errors" "$scratch/got_errors"; then
    cat "$scratch/errors"
    fail "$run: status $status, wanted $wanted_status; < is what processes print"
  fi
  echo "ok: $run"
}

arguments=("$@")
build
unset ROAM_NODE_RANKS
compare 0
compare 0 --move
compare 4 --move
export ROAM_NODE_RANKS=1
compare 4
compare 4 --move
compare 3 --move
export ROAM_NODE_RANKS=2
compare 4 --move
virtual_ranks=1
build
compare 2 --move
compare 3 --move
# Variables of libc are reached otherwise.
virtual_ranks=8
if ((${#libraries[@]} != 0)); then
  build -fPIC
  compare 4 --move
fi
