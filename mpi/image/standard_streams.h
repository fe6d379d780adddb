#ifndef ROAM_MPI_IMAGE_STANDARD_STREAMS_H_
#define ROAM_MPI_IMAGE_STANDARD_STREAMS_H_

#include <array>
#include <cstdio>

#include "mpi/image/layout.h"

namespace roam::mpi {

// The variables stdin, stdout and stderr, which are the process's: a virtual rank that stores
// another stream in one is told that functions of libc do not write there.
//
// Context: the rank's kernel thread.
class StandardStreams {
 public:
  // The program, which lies at `begin`, may have copies of the variables.
  void find_copies(const ModuleLayout& program, Address begin);
  // What the virtual rank that has run has stored. The process's variables get their values back,
  // since other virtual ranks use them; copies of the program's stay.
  void look();
  // Tells the virtual rank, which runs, of what was seen: each variable once.
  void tell();

 private:
  static constexpr std::size_t kCount = 3;
  std::array<FILE**, kCount> copies_{};
  std::array<bool, kCount> seen_{}, told_{};
  bool any_ = false;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_STANDARD_STREAMS_H_
