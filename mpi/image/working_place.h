#ifndef ROAM_MPI_IMAGE_WORKING_PLACE_H_
#define ROAM_MPI_IMAGE_WORKING_PLACE_H_

#include <sys/types.h>

#include <string>

namespace roam::mpi {

// The working folder and the mask of file modes (umask) of a virtual rank, which the kernel keeps
// for a process: while one that has changed them runs, the process has them; after it, or when it
// has left, the launcher's. One that has not changed them has those of the process where it is.
//
// Context: the virtual rank's thread, but for enter() and depart().
class WorkingPlace {
 public:
  WorkingPlace() = default;
  ~WorkingPlace() { depart(); }
  WorkingPlace(const WorkingPlace&) = delete;
  WorkingPlace& operator=(const WorkingPlace&) = delete;

  // As chdir, fchdir and umask.
  int change_folder(const char* path);
  int change_folder(int descriptor);
  mode_t change_mask(mode_t mask);

  // Its virtual rank runs from here on. Ends the job if the folder is not there in this process.
  // Context: any, capture off.
  void enter();
  // Its virtual rank leaves the process, or ends. Context: the same.
  void depart();

 private:
  int changed();
  bool to_folder();

  std::string folder_;  // empty: that of the process
  int at_ = -1;         // the folder in the process where it was last; -1: not opened there
  int mask_ = -1;       // -1: that of the process
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_WORKING_PLACE_H_
