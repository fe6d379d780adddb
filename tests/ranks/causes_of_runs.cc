// What a deadlock may come of is what happened in its own run: main starts and ends MPI itself, and
// calls run() twice.
#include <mpi.h>

#include <cstdio>
#include <stdexcept>

#include "roam/roam.h"
#include "runtime/job/job.h"
#include "tests/ranks/on_rank.h"

namespace {

int causes() {
  int sum = 0;  // over all ranks
  for (int r = 0; r < roam::ranks(); ++r) {
    roam::this_thread::migrate(r);
    sum += static_cast<int>(roam::runtime::the_job().life().causes());
  }
  return sum;
}

int fail_everywhere() {
  for (int r = 0; r < roam::ranks(); ++r) {
    try {
      roam_test::on_rank(r, [] { throw std::runtime_error("in run 1"); });
    } catch (const std::runtime_error&) {
    }
  }
  return causes();
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const int first = roam::run(argc, argv, fail_everywhere);
  const int second = roam::run(argc, argv, causes);
  int ranks = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (first != ranks || second != 0)
    std::fprintf(stderr, "%d exceptions noted in run 1, %d in run 2\n", first, second);
  MPI_Finalize();
  return first == ranks && second == 0 ? 0 : 1;
}
