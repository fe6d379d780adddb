#!/usr/bin/env bash
# MPICH's variable for how often a wait gives its core up is listed, has its default of 1000, can be
# set, and changes nothing in Debian's MPICH: a wait never gives its core up.
#
# With:     Debian 12, mpich and libmpich12 4.0.2-3+b1 (ch4:ucx), libucx0 1.13.1-1, libhwloc15 2.9.0-1.
# Needs:    apt, gcc; no root.
# Asked:    two ranks on one core. Rank 0 waits in MPI_Recv for what rank 1 sends after 1 s of its own
#           processor time; the program counts calls of sched_yield. Once as it is, once with
#           MPIR_CVAR_POLLS_BEFORE_YIELD=1. Each rank reads the variable through MPI_T.
# Seen:     MPI_T shows 1000 and 1. sched_yield is called 0 times in both, and rank 1 gets at most
#           two thirds of its core, as the wait takes the rest.
# Expected: what MPI_T says of the variable: so many looks in vain, and the core is given up. (It is
#           the variable of another device, ch3, and ch4 lists it all the same.)
# For us:   with more ranks than cores each step of a blocking collective takes a turn of a rank that
#           only waits; collectives at the start of a job are non-blocking ones, and we yield.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download mpich=4.0.2-3+b1 libmpich12=4.0.2-3+b1 \
  libmpich-dev=4.0.2-3+b1 libucx0=1.13.1-1 libhwloc15=2.9.0-1 libnuma1 libudev1 libcap2 \
  libslurm38) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
libraries=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu

cat >waits.c <<'C'
#define _GNU_SOURCE
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long yields;
int sched_yield(void) {
  ++yields;
  return (int)syscall(SYS_sched_yield);
}

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int variable(void) {
  int provided, index, size, value = -1;
  MPI_T_cvar_handle handle;
  MPI_T_init_thread(MPI_THREAD_SINGLE, &provided);
  if (MPI_T_cvar_get_index("MPIR_CVAR_POLLS_BEFORE_YIELD", &index) == MPI_SUCCESS) {
    MPI_T_cvar_handle_alloc(index, NULL, &handle, &size);
    MPI_T_cvar_read(handle, &value);
    MPI_T_cvar_handle_free(&handle);
  }
  MPI_T_finalize();
  return value;
}

int main(int argc, char** argv) {
  cpu_set_t core, allowed;
  int rank, number = 0;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  sched_getaffinity(0, sizeof allowed, &allowed);
  CPU_ZERO(&core);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &allowed)) {
      CPU_SET(i, &core);
      break;
    }
  }
  sched_setaffinity(0, sizeof core, &core);
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) {
    yields = 0;
    MPI_Recv(&number, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    printf("the variable is %d; sched_yield was called %ld times", variable(), yields);
    double share = 0;
    MPI_Recv(&share, 1, MPI_DOUBLE, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    printf("; who computes has at most two thirds of its core: %s\n", share <= 0.67 ? "yes" : "no");
  } else {
    const double begin = seconds(CLOCK_MONOTONIC), had = seconds(CLOCK_PROCESS_CPUTIME_ID);
    while (seconds(CLOCK_PROCESS_CPUTIME_ID) < had + 1) {
    }
    const double share = 1 / (seconds(CLOCK_MONOTONIC) - begin);
    MPI_Send(&number, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    MPI_Send(&share, 1, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD);
  }
  MPI_Finalize();
  return 0;
}
C
gcc -O1 -I root/usr/include/x86_64-linux-gnu/mpich waits.c -rdynamic \
  root/usr/lib/x86_64-linux-gnu/libmpich.so.12 -Wl,--allow-shlib-undefined -o waits ||
  cannot "no compiler"
ranks() {
  LD_LIBRARY_PATH=$libraries timeout 60 root/usr/bin/mpiexec.hydra -launcher fork -n 2 "$@" \
    2>/dev/null || cannot "the program did not end well"
}
{
  ranks ./waits
  ranks -env MPIR_CVAR_POLLS_BEFORE_YIELD 1 ./waits
} >seen
cat seen
cat >expected <<'TEXT'
the variable is 1000; sched_yield was called 0 times; who computes has at most two thirds of its core: yes
the variable is 1; sched_yield was called 0 times; who computes has at most two thirds of its core: yes
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
