#include <gtest/gtest.h>

#ifdef ROAM_ASAN
#include <sanitizer/lsan_interface.h>
#endif

#include "mpi/datatype/abi.h"

namespace {

// What libraries below MPI forget when they begin and end is not looked for.
struct Unwatched {
#ifdef ROAM_ASAN
  Unwatched() { __lsan_disable(); }
  ~Unwatched() { __lsan_enable(); }
#else
  ~Unwatched() {}
#endif
};

void begin_mpi() {
  const Unwatched unwatched;
  MPI_Init(nullptr, nullptr);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
}

void end_mpi() {
  const Unwatched unwatched;
  MPI_Finalize();
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  begin_mpi();
  const int failed = RUN_ALL_TESTS();
  end_mpi();
  return failed;
}
