#ifndef ROAM_MPI_IMAGE_LIBRARY_PATHS_H_
#define ROAM_MPI_IMAGE_LIBRARY_PATHS_H_

#include <string>

#include "mpi/image/elf_file.h"

namespace roam::mpi {

// Where the dynamic linker would find the library `name` that `by`, of `program`, needs; empty:
// nowhere. Source: ld.so(8), "The search order".
std::string library_path(const std::string& name, const ElfFile& by, const ElfFile& program);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_LIBRARY_PATHS_H_
