// A program whose calls of MPI are profiled: with -DTAG=... a library that counts some and calls
// those with PMPI_, else the program. How the next function of the name is found: -DBY_NAME.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <mpi.h>
#include <stdio.h>

#ifdef TAG
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

static int sends, barriers, me;  // each process has its own

#ifdef BY_NAME
#define NEXT(name, of) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#else
#define NEXT(name, of) of
#endif

int MPI_Send(const void* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
  ++sends;
  return NEXT(MPI_Send, PMPI_Send)(data, count, type, to, tag, comm);
}
int MPI_Barrier(MPI_Comm comm) {
  ++barriers;
  return NEXT(MPI_Barrier, PMPI_Barrier)(comm);
}
int MPI_Finalize(void) {
  PMPI_Comm_rank(MPI_COMM_WORLD, &me);
  printf("%d.%s: %d sends, %d barriers\n", me, TEXT(TAG), sends, barriers);
  fflush(stdout);
  return NEXT(MPI_Finalize, PMPI_Finalize)();
}
#else
int main(int argc, char** argv) {
  int me, n, got = -1;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  for (int i = 0; i <= me; ++i) {
    MPI_Request request;
    MPI_Irecv(&got, 1, MPI_INT, MPI_ANY_SOURCE, i, MPI_COMM_SELF, &request);
    MPI_Send(&me, 1, MPI_INT, 0, i, MPI_COMM_SELF);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Barrier(MPI_COMM_WORLD);
  }
  for (int i = me + 1; i < n; ++i) PMPI_Barrier(MPI_COMM_WORLD);
  int (*found)(MPI_Comm) = (int (*)(MPI_Comm))dlsym(RTLD_DEFAULT, "MPI_Barrier");
  printf("%d.program: %d, the same function: %d\n", me, got, found == &MPI_Barrier);
  fflush(stdout);
  MPI_Finalize();
  return 0;
}
#endif
