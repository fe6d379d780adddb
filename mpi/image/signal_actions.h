#ifndef ROAM_MPI_IMAGE_SIGNAL_ACTIONS_H_
#define ROAM_MPI_IMAGE_SIGNAL_ACTIONS_H_

#include <csignal>
#include <cstdint>

namespace roam::mpi {

// Which signals a virtual rank ignores: the process does while it runs, and has its own actions
// when others do. Handlers are not here: they are refused. Of SIGCHLD it is kept here only: who
// ignores it has the kernel forget ended children, and those of other virtual ranks end meanwhile.
//
// Context: the virtual rank's thread, but for enter and leave, which are as Guest's.
class SignalActions {
 public:
  // As sigaction of it, with SIG_DFL, SIG_IGN or a null `action`.
  int set(int signal, const struct sigaction* action, struct sigaction* old);

  // Whether its children are forgotten when they end, so that it waits for all in vain.
  bool forgets_children() const { return keeps_none_ || (ignored_ & kOfChildren) != 0; }

  void enter() const {
    if ((ignored_ & ~kOfChildren) != in_place) [[unlikely]]
      put_in_place(ignored_ & ~kOfChildren);
  }
  // What it ignores stays so until somebody enters who does not: no signal between turns, or where
  // all have left, ends what ignores it. But for those that the process itself has handlers for.
  static void leave() {
    if (in_place != 0) put_in_place(in_place & ~with_handlers());
  }

 private:
  static constexpr std::uint64_t kOfChildren = std::uint64_t{1} << (SIGCHLD - 1);
  static void put_in_place(std::uint64_t ignored);
  static std::uint64_t with_handlers();

  static std::uint64_t in_place;  // a bit each, from signal 1 on
  std::uint64_t ignored_ = 0;
  bool keeps_none_ = false;  // SA_NOCLDWAIT
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_SIGNAL_ACTIONS_H_
