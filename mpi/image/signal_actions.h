#ifndef ROAM_MPI_IMAGE_SIGNAL_ACTIONS_H_
#define ROAM_MPI_IMAGE_SIGNAL_ACTIONS_H_

#include <csignal>
#include <cstdint>

namespace roam::mpi {

// Which signals a virtual rank ignores: the process does while it runs, and has its own actions
// when others do. Handlers are not here: they are refused.
//
// Context: the virtual rank's thread, but for enter and leave, which are as Guest's.
class SignalActions {
 public:
  // As sigaction of it, with SIG_DFL, SIG_IGN or a null `action`.
  int set(int signal, const struct sigaction* action, struct sigaction* old);

  void enter() const {
    if (ignored_ != in_place) [[unlikely]]
      put_in_place(ignored_);
  }
  static void leave() {
    if (in_place != 0) put_in_place(0);
  }

 private:
  static void put_in_place(std::uint64_t ignored);

  static std::uint64_t in_place;  // a bit each, from signal 1 on
  std::uint64_t ignored_ = 0;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_SIGNAL_ACTIONS_H_
