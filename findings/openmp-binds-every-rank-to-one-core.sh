#!/usr/bin/env bash
# OMP_PROC_BIND=true binds the first kernel thread of each process of an MPI job to the same core, and all
# kernel threads that the program makes itself with it.
#
# With:     Debian 12, libgomp1 12.2.0-14+deb12u1, mpich 4.0.2-3+b1 (mpiexec.hydra, which binds nobody by
#           itself), libhwloc15 2.9.0-1.
# Needs:    apt, gcc, two cores or more; no root.
# Asked:    two processes of a program that is linked with OpenMP and has no parallel region; what cores
#           its first kernel thread may use, and one that it makes with pthread_create.
# Seen:     without OMP_PROC_BIND: all cores. With OMP_PROC_BIND=true: one, and in both processes the same
#           one. The library binds when it is loaded, before main. omp_get_num_procs() still tells of all.
# Expected: a team is bound when there is one; two processes of a job do not share a core while another
#           is idle; a kernel thread that OpenMP did not make is left alone.
# For us:   ranks that are bound to one core take turns and look busy to a balancer. The start says which
#           variable did it (runtime/placement.cc).
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download mpich=4.0.2-3+b1 libhwloc15=2.9.0-1 libudev1 libcap2 libslurm38 \
  libgomp1=12.2.0-14+deb12u1) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu
(($(nproc) > 1)) || cannot "there is one core only"

cat >bound.c <<'C'
#define _GNU_SOURCE
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

static char told[2][64];

static void* look(void* into) {
  cpu_set_t cores;
  sched_getaffinity(0, sizeof cores, &cores);
  int first = 0;
  while (!CPU_ISSET(first, &cores)) ++first;
  if (CPU_COUNT(&cores) == omp_get_num_procs())
    snprintf(into, sizeof told[0], "all cores");
  else
    snprintf(into, sizeof told[0], "%d core, the machine's number %d", CPU_COUNT(&cores), first);
  return 0;
}

int main(void) {
  look(told[0]);
  pthread_t other;
  pthread_create(&other, 0, look, told[1]);
  pthread_join(other, 0);
  printf("first: %s; made by the program: %s\n", told[0], told[1]);
  return 0;
}
C
gcc -O1 -fopenmp bound.c -pthread -o bound || cannot "no compiler with OpenMP"
job() { timeout 60 root/usr/bin/mpiexec.hydra -launcher fork -n 2 ./bound 2>/dev/null </dev/null; }
{
  echo "as it comes"
  job || cannot "mpiexec does not run here"
  echo "OMP_PROC_BIND=true"
  OMP_PROC_BIND=true job | sed "s/number $(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')/number FIRST/g"
} >seen
cat seen
cat >expected <<'TEXT'
as it comes
first: all cores; made by the program: all cores
first: all cores; made by the program: all cores
OMP_PROC_BIND=true
first: 1 core, the machine's number FIRST; made by the program: 1 core, the machine's number FIRST
first: 1 core, the machine's number FIRST; made by the program: 1 core, the machine's number FIRST
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
