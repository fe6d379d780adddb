#include "base/os/helper_thread.h"

#include <signal.h>

#include <exception>
#include <utility>

namespace roam::os {

bool HelperThread::begin(std::function<void()> work) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool good = true;
  try {
    thread_ = std::thread(std::move(work));
  } catch (const std::exception&) {
    good = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  process_ = getpid();
  return good;
}

void HelperThread::end() {
  if (!thread_.joinable()) return;
  if (process_ == getpid())
    thread_.join();
  else
    thread_.detach();
}

}  // namespace roam::os
