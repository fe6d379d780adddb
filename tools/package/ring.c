/* A program of MPI that the installed roam-mpi is tried with: a token goes around, and each rank adds
   what only it knows. */
#include <mpi.h>
#include <stdio.h>

static int own; /* one variable a process */

int main(int argc, char** argv) {
  int rank, size, sum = 0;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  own = rank;
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank != 0) MPI_Recv(&sum, 1, MPI_INT, rank - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  sum += own;
  MPI_Send(&sum, 1, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD);
  if (rank == 0) {
    MPI_Recv(&sum, 1, MPI_INT, size - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    printf("%d ranks, each with a variable of its own, sum %d\n", size, sum);
  }
  MPI_Finalize();
  return 0;
}
