#ifndef ROAM_MPI_IMAGE_LIBRARY_PATHS_H_
#define ROAM_MPI_IMAGE_LIBRARY_PATHS_H_

#include <span>
#include <string>

#include "mpi/image/elf_file.h"

namespace roam::mpi {

// Where the dynamic linker would find the library `name`; empty: nowhere. `by` needs it, and is
// followed by who needs that, and so on to the program. Files that are not for this machine are
// passed over, and of libraries for several levels of x86-64 the best is taken that the processor
// has. What differs from the dynamic linker: it looks in folders of older hwcaps too, and goes by
// LD_PRELOAD and /etc/ld.so.preload. Source: ld.so(8), "The search order".
std::string library_path(const std::string& name, std::span<const ElfFile* const> by);

// The folder that $ORIGIN stands for in what that file says.
std::string origin_of(const ElfFile& file, bool is_program);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_LIBRARY_PATHS_H_
