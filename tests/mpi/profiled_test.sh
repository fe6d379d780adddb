#!/usr/bin/env bash
# Libraries that profile MPI see as virtual ranks what they see as processes: those that the program
# is linked with, of C and of Fortran, those that find the next function by name, one that comes
# behind MPI, and those that are preloaded.
#
#   profiled_test.sh ROAM_MPI MPIEXEC SOURCE
set -u
roam_mpi=$(realpath "$1") mpiexec=$(realpath "$2") source=$(realpath "$3")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch UCX_LOG_LEVEL=error
fail() {
  echo "FAILED: $*"
  exit 1
}

cat >"$scratch/fields.f90" <<'END'
program fields
  use mpi
  implicit none
  integer :: ierr
  call MPI_Init(ierr)
  call MPI_Barrier(MPI_COMM_WORLD, ierr)
  call MPI_Barrier(MPI_COMM_WORLD, ierr)
  call MPI_Finalize(ierr)
end program
END

library() { # NAME OPTION...
  local name=$1
  shift
  mpicc.mpich -O2 -fPIC -shared -DTAG="$name" "$@" -Wl,-soname,"lib$name.so" \
    -o "$scratch/lib$name.so" "$source" || fail "lib$name cannot be compiled"
}
library first
library second
library named -DBY_NAME

cd "$scratch" || exit 1
export LD_LIBRARY_PATH=$scratch
none=(-Wl,--no-as-needed)
mpicc.mpich -O2 -o plain "$source" &&
  mpicc.mpich -O2 -o one "$source" "${none[@]}" -L. -lfirst &&
  mpicc.mpich -O2 -o two "$source" "${none[@]}" -L. -lsecond -lfirst &&
  mpicc.mpich -O2 -o by_name "$source" "${none[@]}" -L. -lnamed -lfirst &&
  mpicc.mpich -O2 -o behind "$source" "${none[@]}" -lmpich -L. -lfirst &&
  mpif90.mpich -O2 -o fortran fields.f90 "${none[@]}" -L. -lfirst || fail "a program is not linked"

# check PROGRAM [PRELOADED]
check() {
  local program=$1 preloaded=${2:-} options=() ranks
  mpiexec.hydra -n 4 env ${preloaded:+LD_PRELOAD=$preloaded} "./$program" >plain.txt ||
    fail "$program: status $? under mpiexec alone"
  LC_ALL=C sort plain.txt -o wanted.txt
  [[ -n $preloaded ]] && options=("--preload=$preloaded")
  for ranks in 1 2; do
    ((ranks == 2)) && options+=(--move)
    "$mpiexec" -n $ranks "$roam_mpi" -n 4 "${options[@]}" "./$program" >printed.txt 2>errors ||
      { cat errors && fail "$program $preloaded, $ranks ranks"; }
    LC_ALL=C sort printed.txt | diff wanted.txt - || fail "$program $preloaded, $ranks ranks"
  done
  echo "ok: $program $preloaded: $(grep -c sends wanted.txt) profiles"
}
check plain
check one
check two
check by_name
check behind
check fortran
check plain libsecond.so
check one "$scratch/libsecond.so"
check one libnamed.so
exit 0
