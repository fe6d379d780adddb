// MPI has started and ended before run(): it cannot start again, and run() says so.
#include <mpi.h>

#include "roam/roam.h"

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  MPI_Finalize();
  return roam::run(argc, argv, [] {});
}
