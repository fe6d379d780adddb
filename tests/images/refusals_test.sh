#!/usr/bin/env bash
# Programs that cannot run as virtual ranks are refused before anything of them runs, with a message
# that says why and what to do, and the status 2.
#
#   refusals_test.sh RUN_IMAGES SOURCE
set -u
run_images=$(realpath "$1") source=$(realpath "$2")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
cd "$scratch" || exit 1
failures=0

# refused WHAT... -- COMMAND...: prints each WHAT on the error stream and nothing else anywhere.
refused() {
  local wanted=() status what
  while [[ $1 != -- ]]; do wanted+=("$1") && shift; done
  shift
  timeout $((60 * ${PATIENCE:-1})) "$run_images" "$@" >out 2>err </dev/null
  status=$?
  for what in "${wanted[@]}"; do
    grep -qF -- "$what" err && continue
    echo "FAILED: $*: the message has no \"$what\":" && cat err && failures=$((failures + 1))
  done
  ((status == 2)) || { echo "FAILED: $*: status $status" && cat err && failures=$((failures + 1)); }
  [[ ! -s out ]] || { echo "FAILED: $*: it has run" && failures=$((failures + 1)); }
}
# built NAME COMPILER...: whether the compiler can build that at all.
built() {
  local name=$1
  shift
  "$@" -o "$name" >log 2>&1 && return 0
  echo "SKIPPED: $name cannot be built here: $(tail -n 1 log)"
  return 1
}

built fixed gcc -no-pie "$source" && refused ./fixed "not position independent" "-fPIE -pie" -- ./fixed
built static gcc -static "$source" && refused "not position independent" "-static" -- ./static
built static_pie gcc -static-pie "$source" && refused "linked statically" "-static-pie" -- ./static_pie
built profiled gcc -pg "$source" && refused "-pg" "perf" -- ./profiled
built text gcc -pie -fno-pic -mcmodel=large -Wl,-z,notext "$source" &&
  refused "relocations in its code" "-fPIC" -- ./text
for sanitizer in address undefined thread leak; do
  built "$sanitizer" gcc "-fsanitize=$sanitizer" "$source" &&
    refused "sanitizer" "without -fsanitize" -- "./$sanitizer"
done
if command -v clang >/dev/null; then
  built clang_address clang -fPIE -pie -fsanitize=address "$source" && refused "sanitizer" -- ./clang_address
fi
if command -v mpicc.openmpi >/dev/null; then
  echo '#include <mpi.h>
int main(int c, char** v) { MPI_Init(&c, &v); return MPI_Finalize(); }' >mpi.c
  built open_mpi mpicc.openmpi mpi.c && refused "Open MPI" "mpicc.mpich" -- ./open_mpi
fi

if command -v mpicc.mpich >/dev/null; then
  echo '#include <mpi.h>
int main(int c, char** v) { MPI_Init(&c, &v); return MPI_Finalize(); }' >mpi.c
  built mpich mpicc.mpich mpi.c && {
    refused "./mpich: it needs libmpi" "is an MPI program" "run it with roam-mpi" -- ./mpich
    refused "it calls MPI_Init of the process" -- --shared=libmpich.so.12 --shared=libmpi.so.12 ./mpich
  }
  echo 'int unused;' >fortran.c
  built libmpi_mpifh.so.40 gcc -shared -fPIC -Wl,-soname,libmpi_mpifh.so.40 fortran.c &&
    built open_mpi_part gcc "$source" -Wl,--no-as-needed ./libmpi_mpifh.so.40 &&
    refused "it needs libmpi_mpifh.so.40" "is an MPI program" -- ./open_mpi_part
  built libuses.so gcc -shared -fPIC -x c /dev/null -Wl,--no-as-needed -lmpich &&
    built by_library gcc "$source" -L. -Wl,--no-as-needed,--allow-shlib-undefined -luses "-Wl,-rpath,\$ORIGIN" &&
    refused "libuses.so: it needs libmpi" "is an MPI program" -- ./by_library
fi
echo 'int PMPI_Init(int* c, char*** v) { (void)c; (void)v; return 0; }' >part.c
built with_mpi gcc -rdynamic "$source" part.c && refused "it has MPI in itself" -- ./with_mpi
if command -v mpif90.mpich >/dev/null; then
  echo 'program p
use mpi
integer :: e
call MPI_Init(e)
call MPI_Finalize(e)
end program' >mpi.f90
  built mpich_fortran mpif90.mpich mpi.f90 && refused "is an MPI program" -- ./mpich_fortran
fi

echo '#include <stddef.h>
static char room[1000000]; static size_t used;
void* malloc(size_t n) { used += (n + 15) & ~15UL; return room + used - ((n + 15) & ~15UL); }
void free(void* p) { (void)p; }
void* calloc(size_t n, size_t m) { return malloc(n * m); }
void* realloc(void* p, size_t n) { (void)p; return malloc(n); }' >malloc.c
built own_malloc gcc -fno-builtin "$source" malloc.c && refused "it defines malloc itself" "tcmalloc" -- ./own_malloc
built libmemory.so gcc -fno-builtin -shared -fPIC malloc.c &&
  built library_malloc gcc "$source" -L. -Wl,--no-as-needed -lmemory "-Wl,-rpath,\$ORIGIN" &&
  refused "libmemory.so: it defines malloc itself" -- ./library_malloc
echo 'int call(int (*f)(int)) { return f(1); }
int main(int c, char** v) { int inner(int x) { return x + c; } (void)v; return call(inner); }' >nested.c
built nested gcc -O0 nested.c && refused "a stack that is executable" "-Wtrampolines" -- ./nested
echo 'program p
integer :: n = 3
call with(inner)
contains
subroutine inner(x)
integer :: x
x = x + n
end subroutine
subroutine with(f)
external :: f
integer :: y
y = 1
call f(y)
print *, y
end subroutine
end program' >internal.f90
if command -v gfortran >/dev/null; then
  built internal gfortran -O0 -fno-inline internal.f90 &&
    if readelf -lW internal | grep -q "GNU_STACK.*RWE"; then
      refused "a stack that is executable" "procedures of a module" -- ./internal
    fi
fi
echo '_Thread_local char large[20000]; int main(int c, char** v) { return large[c] + !v; }' >large.c
built large gcc large.c && refused "20000 bytes of thread_local" "16384" "heap" -- ./large
echo '_Thread_local _Alignas(256) char x[256]; int main(int c, char** v) { return x[c] + !v; }' >aligned.c
built aligned gcc aligned.c && refused "thread_local" "aligned to 256 bytes" "64" -- ./aligned
echo '_Thread_local int x; int get(void) { return ++x; }' >part.c
echo 'int get(void); int main(void) { return get(); }' >main.c
built libdescriptors.so gcc -shared -fPIC -mtls-dialect=gnu2 part.c &&
  built descriptors gcc main.c -L. -ldescriptors "-Wl,-rpath,\$ORIGIN" &&
  refused libdescriptors.so "by descriptors" "-mtls-dialect=gnu2" -- ./descriptors
built libother.so gcc -shared -fPIC part.c && built needs gcc main.c -L. -lother && {
  refused "needs libother.so, which is not found" "LD_LIBRARY_PATH" -- ./needs
  echo 'int other;' >empty.c
  gcc -shared -fPIC -o libother.so empty.c
  LD_LIBRARY_PATH=. refused "it needs get, which none of its libraries has" -- ./needs
}
echo 'extern int obstack_exit_failure;
int main(void) { return obstack_exit_failure != 0; }' >variable.c
built variable gcc variable.c && refused "a copy of the variable" "obstack_exit_failure" -- ./variable
built variable gcc -fPIC variable.c && refused "uses the variable obstack_exit_failure of libc" -- ./variable

printf '#!/bin/sh\ntrue\n' >script && chmod +x script && refused "no ELF program" -- ./script
built whole gcc "$source" && head -c 3000 whole >cut && refused "cut off or damaged" "of 3000" -- ./cut
: >empty && refused "no ELF program" -- ./empty
refused "cannot be opened: No such file" -- ./nothing
refused "cannot be opened: Is a directory" -- "$scratch"
refused "there is no such program in PATH" -- nothing_of_that_name
refused "no program is named" "usage:" --
refused "unknown option --fast" "usage:" -- --fast ./whole
refused "-n 0: a count from 1" -- -n 0 ./whole
refused "-n: a count from 1" -- -n
refused "--stack=1x" "as 8M" -- --stack=1x ./whole
refused "--stack=5G" -- --stack=5G ./whole
refused "cannot be opened: No such file" -- --stack=8M ./nothing
"$run_images" --help >out 2>err && grep -q "^usage:" out && [[ ! -s err ]] ||
  { echo "FAILED: --help" && cat err && failures=$((failures + 1)); }
# As a shell looks for a program: a folder is none, and an empty part is the current folder.
cp cut damaged_one && chmod +x damaged_one && mkdir -p folder/only folder/damaged_one
PATH=$scratch/folder:/usr/bin:/bin refused "there is no such program in PATH" -- only
PATH=$scratch/folder::/usr/bin:/bin refused "cut off or damaged" -- damaged_one
PATH=/usr/bin:/bin: refused "cut off or damaged" -- damaged_one
refused "--private=libc.so.6" "belongs to the process" -- --private=libc.so.6 ./whole

((failures == 0)) || exit 1
echo ok
