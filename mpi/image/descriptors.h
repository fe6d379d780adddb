#ifndef ROAM_MPI_IMAGE_DESCRIPTORS_H_
#define ROAM_MPI_IMAGE_DESCRIPTORS_H_

#include <vector>

namespace roam::mpi {

// The descriptors that a virtual rank has opened, which are numbers of the process: while there are
// any, its thread stays on its rank. Those that are open at its end are closed then.
class Descriptors {
 public:
  Descriptors() = default;
  ~Descriptors() { close_all(); }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  // Returns `descriptor`, which the running virtual rank has opened if it is not negative.
  int opened(int descriptor);
  // As close.
  int close(int descriptor);

 private:
  void close_all();
  bool forget(int descriptor);  // false: it was none of these

  std::vector<int> open_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_DESCRIPTORS_H_
