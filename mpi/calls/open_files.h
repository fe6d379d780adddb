#ifndef ROAM_MPI_CALLS_OPEN_FILES_H_
#define ROAM_MPI_CALLS_OPEN_FILES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mpi/calls/file_name.h"

namespace roam::mpi {

// The descriptors of a process for the files that virtual ranks have open: one an opening, made
// when a virtual rank first needs it there, for all virtual ranks of the process. None is the
// virtual rank's own (mpi/image/descriptors.h), and none pins it. They stay until the file is
// closed.
//
// Context: threads of Roam.
namespace open_files {

struct Descriptor {
  int number;
  // All of the file's data is under this kernel: what one process has written another reads.
  bool is_local;
};

// CallError(MPI_ERR_...): it cannot be opened, or is another file here.
Descriptor descriptor_of(const FileName& file);
// Opens it as `flags` say, and fills in `file` as the first to do so. CallError.
void open_first(FileName* file, int flags);
// Closes it in this process, if it is open there; the number of the error, or 0.
int close_here(std::uint64_t id);
// The same in these ranks. Suspends.
int close_everywhere(std::uint64_t id, const std::vector<int>& ranks);
// Removes its name on the rank `on`, if it still is that of the file, which is open there; of a
// file that is not checked, in any case. The number of the error, or 0, as when nothing has the
// name; EEXIST: another file has it. Suspends.
int remove_name(const FileName& file, int on);
// How many are open in this process.
std::size_t count();

}  // namespace open_files

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_OPEN_FILES_H_
