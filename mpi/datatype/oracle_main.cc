#include <gtest/gtest.h>

#include "mpi/datatype/abi.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  MPI_Init(nullptr, nullptr);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  const int failed = RUN_ALL_TESTS();
  MPI_Finalize();
  return failed;
}
