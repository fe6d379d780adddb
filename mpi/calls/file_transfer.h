#ifndef ROAM_MPI_CALLS_FILE_TRANSFER_H_
#define ROAM_MPI_CALLS_FILE_TRANSFER_H_

#include "mpi/calls/file.h"

// Data between memory and what is seen of a file by its view. Nothing here suspends.
//
// Small pieces of a file that lie near each other are moved together, with what is between them.
// When they are written, what is between them is read first and written back, which must not undo
// what another process has written there meanwhile: so each write has a lock of its bytes. On file
// systems of several hosts each read has one too: with the lock a client forgets what it knew.
// Where there are no locks, pieces are written alone.
namespace roam::mpi {

// What one call moves.
struct Transfer {
  MPI_Offset offset;  // of the first, in elementary types
  void* data;
  MPI_Count count;
  Type type;
};

// How many elementary types that is. CallError(MPI_ERR_IO): no whole number.
MPI_Count elementary_types(const File& file, const Transfer& t);
// Bytes in memory that were read: less than asked for at the end of the file. Where places of the
// view do not grow, those up to the first that lies behind it. CallError.
MPI_Count read(File* file, const Transfer& t);
MPI_Count write(File* file, const Transfer& t);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_FILE_TRANSFER_H_
