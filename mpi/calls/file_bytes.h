#ifndef ROAM_MPI_CALLS_FILE_BYTES_H_
#define ROAM_MPI_CALLS_FILE_BYTES_H_

#include <mpi.h>

#include <cstddef>
#include <string>

// Bytes of a file at a place, as many as are asked for: the kernel moves at most 0x7ffff000 at a
// time. Nothing here suspends, so virtual ranks of one process never meet in it.
namespace roam::mpi {

// How many there were: less only at the end of the file. CallError(MPI_ERR_...).
std::size_t read_bytes(int descriptor, MPI_Offset at, char* to, std::size_t bytes,
                       const std::string& path);
void write_bytes(int descriptor, MPI_Offset at, const char* from, std::size_t bytes,
                 const std::string& path);

// While one lives, no other process of the job has a lock of these bytes that is not shared, as
// this one if it is not `for_writing`. Locks are of the descriptor, which all virtual ranks of a
// process have in common.
class FileLock {
 public:
  FileLock() = default;
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // The number of the error, or 0.
  int take(int descriptor, bool for_writing, MPI_Offset begin, MPI_Offset bytes);

 private:
  int descriptor_ = -1;
  MPI_Offset begin_ = 0, bytes_ = 0;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_FILE_BYTES_H_
