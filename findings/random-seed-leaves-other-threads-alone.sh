#!/usr/bin/env bash
# RANDOM_SEED(PUT=...) of a Fortran program seeds one OpenMP thread: the others go on with what they had,
# and a thread's first numbers are not those of the thread that seeded.
#
# With:     Debian 12, gfortran-12, libgfortran5 and libgomp1 12.2.0-14+deb12u1.
# Needs:    apt, an assembler and a linker (gcc installed); no root.
# Asked:    the first thread puts one seed three times; after each the second thread of a team of two draws
#           four numbers, and so does the first.
# Seen:     the first thread draws the same numbers each time. The second draws others than the first, and
#           other ones each time: a run that puts its seed anew for each experiment does not repeat it.
# Expected: the standard knows one generator of the program; a seed that is put starts all of it.
# For us:   generators of libraries belong to the rank's kernel thread; a thread that must repeat its
#           numbers keeps the generator in its own memory.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download gfortran-12=12.2.0-14+deb12u1 gcc-12=12.2.0-14+deb12u1 \
  cpp-12=12.2.0-14+deb12u1 libgfortran5=12.2.0-14+deb12u1 libgfortran-12-dev=12.2.0-14+deb12u1 \
  libgcc-12-dev=12.2.0-14+deb12u1 libgomp1=12.2.0-14+deb12u1 libquadmath0=12.2.0-14+deb12u1 \
  libisl23 libmpc3 libmpfr6 libgmp10) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu
command -v as ld >/dev/null || cannot "no assembler and linker"

cat >seeds.f90 <<'F'
program seeds
  use omp_lib
  implicit none
  real :: first(4, 3), second(4, 3)
  integer, allocatable :: seed(:)
  integer :: length, turn

  call random_seed(size = length)
  allocate (seed(length))
  seed = 42
  do turn = 1, 3
    call random_seed(put = seed)
    !$omp parallel num_threads(2)
    if (omp_get_thread_num() == 0) call random_number(first(:, turn))
    if (omp_get_thread_num() == 1) call random_number(second(:, turn))
    !$omp end parallel
  end do
  print '(a, l2)', 'first thread, the same each time:', &
    all(first(:, 1) == first(:, 2)) .and. all(first(:, 1) == first(:, 3))
  print '(a, l2)', 'second thread, the same each time:', &
    all(second(:, 1) == second(:, 2)) .or. all(second(:, 1) == second(:, 3))
  print '(a, l2)', 'second thread, the same as the first:', all(first(:, 1) == second(:, 1))
end program
F
root/usr/bin/x86_64-linux-gnu-gfortran-12 -fopenmp seeds.f90 -o seeds ||
  cannot "the compiler does not run here"
timeout 60 ./seeds >seen || cannot "the program did not end well"
cat seen
cat >expected <<'TEXT'
first thread, the same each time: T
second thread, the same each time: F
second thread, the same as the first: F
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
