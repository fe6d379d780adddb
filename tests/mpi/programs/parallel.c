// OpenMP beside MPI: what it computes does not depend on how many threads there are. As virtual
// ranks there is one, also for who asks for more.
#include "check.h"

#include <omp.h>

static long sum_up(int threads) {
  long sum = 0;
#pragma omp parallel for reduction(+ : sum) num_threads(threads)
  for (int i = 0; i < 1000; ++i) sum += (long)i * (me + 1);
  return sum;
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  omp_set_dynamic(1);
  say("by default %ld", sum_up(omp_get_max_threads()));
  MPI_Barrier(MPI_COMM_WORLD);
  say("of three %ld", sum_up(3));
  MPI_Barrier(MPI_COMM_WORLD);

  long mine = 0, all = 0;
  int in_parallel = 0;
#pragma omp parallel
  {
#pragma omp single
    for (int i = 0; i < 8; ++i) {
#pragma omp task
      {
#pragma omp atomic
        mine += i * me;
      }
    }
#pragma omp critical
    ++in_parallel;
  }
  MPI_Allreduce(&mine, &all, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
  say("tasks %ld of %ld, threads %s", mine, all, in_parallel >= 1 ? "some" : "none");
  MPI_Finalize();
  return 0;
}
