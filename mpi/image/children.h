#ifndef ROAM_MPI_IMAGE_CHILDREN_H_
#define ROAM_MPI_IMAGE_CHILDREN_H_

#include <sys/types.h>

#include <list>
#include <vector>

namespace roam::mpi {

// The programs that a virtual rank has started by posix_spawn and has not waited for: they are
// children of the process, where it stays until it has.
//
// Context: the virtual rank's thread.
class Children {
 public:
  Children() = default;
  ~Children();
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  // Errors: none; what there is no memory to note can be waited for by nobody.
  void started(pid_t child);
  void ended(pid_t child);
  // Those that have ended by now are forgotten, as the kernel does it for who ignores SIGCHLD.
  void forget_ended();
  // Those that waitpid(which) means: one, those of a group, or all.
  std::vector<pid_t> meant(pid_t which) const;

 private:
  std::list<pid_t> list_;  // where one lies stands for it among objects that pin
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_CHILDREN_H_
