#ifndef ROAM_MPI_IMAGE_STANDARD_INPUT_H_
#define ROAM_MPI_IMAGE_STANDARD_INPUT_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdio>

namespace roam::mpi {

// The standard input as one virtual rank has it. Launchers of MPI give theirs to the first process
// and others an empty one: virtual rank 0 has that of rank 0, where it goes before it reads, and
// others find nothing.
//
// Context: the virtual rank's thread.
class StandardInput {
 public:
  // How the running thread gets to what is rank 0's; set once, before the first image. Without
  // there is one rank.
  struct Ways {
    bool (*go_there)() = nullptr;  // false: it cannot leave its rank now
    ssize_t (*read_there)(void* to, std::size_t bytes) = nullptr;  // as read, from where it is
    void (*give_up)() = nullptr;  // ends the job: it cannot leave, and has to
  };
  static void set_ways(const Ways& ways);

  explicit StandardInput(bool has_it) : has_it_(has_it) {}

  // What a call uses in place of a descriptor or stream that it was given: the standard input,
  // which is this process's then, or an empty one; others as they are.
  int descriptor(int given) const { return given == 0 ? own_descriptor() : given; }
  FILE* stream(FILE* given) const { return given == stdin ? own_stream() : given; }
  // False: it is empty. True: the thread is where it is.
  bool reach() const;
  // As read of descriptor 0. Who cannot leave its rank reads too.
  ssize_t read(void* to, std::size_t bytes) const;

 private:
  int own_descriptor() const;
  FILE* own_stream() const;

  const bool has_it_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_STANDARD_INPUT_H_
