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
  // How the running thread gets to what is rank 0's.
  struct Ways {
    bool (*go_there)() = nullptr;  // false: it cannot leave its rank now
    // As read, from where it is; does not throw.
    ssize_t (*read_there)(void* to, std::size_t bytes) = nullptr;
    void (*give_up)() = nullptr;  // ends the job: it could not go, and has to
  };
  // Once, before the first image. Without ways there is one rank.
  static void prepare(const Ways& ways);

  explicit StandardInput(bool has_it) : has_it_(has_it) {}
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

  // What a call that reads uses in place of a descriptor or stream that it was given: the standard
  // input, which is this process's then, or an empty one; others as they are. The job ends if it
  // cannot be reached.
  int descriptor(int given) { return given == 0 ? reading_descriptor() : given; }
  FILE* stream(FILE* given) { return given == input_ ? reading_stream() : given; }
  // The same of a call that only asks: where the thread cannot go it asks of an empty one.
  int asked_descriptor(int given) { return given == 0 ? asking_descriptor() : given; }
  static bool is_meant(const FILE* given) { return given == input_; }
  // Of the stream; acted_stream: of a call that does something with it, and reads nothing.
  FILE* asked_stream();
  FILE* acted_stream();
  bool is_at_end() const { return at_end_; }  // of an empty one
  void begin_again() { at_end_ = false; }

  bool has_it() const { return has_it_; }
  // Of who has it: the thread is where it is from now on.
  void reach();
  // As read of descriptor 0. Who cannot leave its rank reads too.
  ssize_t read(void* to, std::size_t bytes);

  // While one lives, what is started has an empty input in place of that of virtual rank 0; nobody
  // else runs meanwhile.
  class OfChildren {
   public:
    explicit OfChildren(const StandardInput& own);
    ~OfChildren();
    OfChildren(const OfChildren&) = delete;
    OfChildren& operator=(const OfChildren&) = delete;

   private:
    int kept_ = -1;   // the process's
    int flags_ = -1;  // of its number; -1: nothing is in its place
  };

 private:
  int reading_descriptor();
  int asking_descriptor();
  FILE* reading_stream();

  static FILE* const input_;  // as the process began
  const bool has_it_;
  bool at_end_ = false;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_STANDARD_INPUT_H_
