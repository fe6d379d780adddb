#ifndef ROAM_MPI_IMAGE_CHECKS_H_
#define ROAM_MPI_IMAGE_CHECKS_H_

#include "mpi/image/elf_file.h"

namespace roam::mpi {

// What a program, or a library of it, must not be, as far as its file tells: each is a Refusal that
// says what to do. What only a relocation or a look-up shows is refused by Layout.
void check_program(const ElfFile& file);
void check_private_library(const ElfFile& file);

// A library that is to be private, by its name alone: an MPI.
void check_private_name(const ElfFile& by, std::string_view library);

// A function that would be called in a library of the process: an MPI's.
void check_process_reference(const ElfFile& file, std::string_view symbol);

// What a name that it refers to tells of how it was built: a sanitizer, -pg.
void check_reference(const ElfFile& file, std::string_view symbol);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_CHECKS_H_
