#include "mpi/image/signal_actions.h"

#include <cerrno>

namespace roam::mpi {
namespace {

constexpr int kLast = 64;
struct sigaction of_process[kLast + 1];  // while it is ignored

std::uint64_t bit_of(int signal) { return std::uint64_t{1} << (signal - 1); }

}  // namespace

std::uint64_t SignalActions::in_place = 0;

int SignalActions::set(int signal, const struct sigaction* action, struct sigaction* old) {
  if (signal < 1 || signal > kLast ||
      (action != nullptr && (signal == SIGKILL || signal == SIGSTOP))) {
    errno = EINVAL;
    return -1;
  }
  if (old != nullptr) {
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) != 0) return -1;
    *old = {};
    const bool ignored = now.sa_handler == SIG_IGN || (ignored_ & bit_of(signal)) != 0;
    old->sa_handler = ignored ? SIG_IGN : SIG_DFL;
    if (signal == SIGCHLD && keeps_none_) old->sa_flags = SA_NOCLDWAIT;
  }
  if (action == nullptr) return 0;
  if (signal == SIGCHLD) keeps_none_ = (action->sa_flags & SA_NOCLDWAIT) != 0;
  if (action->sa_handler == SIG_IGN) {
    ignored_ |= bit_of(signal);
  } else {
    ignored_ &= ~bit_of(signal);
  }
  enter();
  return 0;
}

// Of those that are ignored now.
std::uint64_t SignalActions::with_handlers() {
  std::uint64_t handled = 0;
  for (int signal = 1; signal <= kLast; ++signal) {
    if ((in_place & bit_of(signal)) != 0 && of_process[signal].sa_handler != SIG_DFL)
      handled |= bit_of(signal);
  }
  return handled;
}

void SignalActions::put_in_place(std::uint64_t ignored) {
  const int error = errno;
  for (int signal = 1; signal <= kLast; ++signal) {
    const std::uint64_t bit = bit_of(signal);
    if (((ignored ^ in_place) & bit) == 0) continue;
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    if ((ignored & bit) != 0) {
      ::sigaction(signal, &ignore, &of_process[signal]);
    } else {
      ::sigaction(signal, &of_process[signal], nullptr);
    }
  }
  in_place = ignored;
  errno = error;
}

}  // namespace roam::mpi
