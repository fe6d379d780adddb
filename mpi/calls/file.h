#ifndef ROAM_MPI_CALLS_FILE_H_
#define ROAM_MPI_CALLS_FILE_H_

#include <mpi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "mpi/calls/communicator.h"
#include "mpi/calls/file_view.h"
#include "mpi/calls/info.h"
#include "mpi/calls/open_files.h"

namespace roam::mpi {

// What an open file is to one of those who opened it. It lies in the memory of the virtual rank and
// goes where that goes; descriptors are the process's, and found by the name.
struct File {
  FileName name;
  int mode = 0;          // MPI_MODE_...
  Communicator members;  // of its own: nobody else sends there
  Info info;
  MPI_Errhandler errhandler = MPI_ERRORS_RETURN;
  FileView view;
  MPI_Offset position = 0;           // in elementary types
  MPI_Offset shared_position = 0;    // that of the shared pointer, before anybody has moved it
  bool uses_shared_pointer = false;  // this virtual rank has
  bool is_atomic = false;
  unsigned reads = 0;  // so many calls
  // A collective that has begun (MPI_File_..._begin): its kind, and what its end says.
  const char* begun = nullptr;
  MPI_Status begun_status{};
  // Ranks in whose process this virtual rank has used a descriptor.
  std::vector<int> used_on;

  MPI_File handle() { return reinterpret_cast<MPI_File>(this); }
  bool has(int mode_bit) const { return (mode & mode_bit) != 0; }
  bool is_readable() const { return !has(MPI_MODE_WRONLY); }
  bool is_writable() const { return !has(MPI_MODE_RDONLY); }

  // Of the process where its virtual rank is. CallError.
  open_files::Descriptor descriptor();
  // Bytes. CallError.
  MPI_Offset size();
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_FILE_H_
