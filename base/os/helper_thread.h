#ifndef ROAM_BASE_OS_HELPER_THREAD_H_
#define ROAM_BASE_OS_HELPER_THREAD_H_

#include <unistd.h>

#include <functional>
#include <thread>

namespace roam::os {

// A kernel thread that does one thing beside the program, and gets none of its signals. A child of
// fork has no such thread, and does not wait for it.
//
// Context: one kernel thread begins and ends it.
class HelperThread {
 public:
  HelperThread() = default;
  ~HelperThread() { end(); }
  HelperThread(const HelperThread&) = delete;
  HelperThread& operator=(const HelperThread&) = delete;

  // Begins to run `work`, which throws nothing. False: there is no room for a kernel thread.
  // REQUIRES: none runs.
  bool begin(std::function<void()> work);
  // Waits until it has ended, if one was begun.
  void end();

 private:
  std::thread thread_;
  int process_ = 0;
};

}  // namespace roam::os

#endif  // ROAM_BASE_OS_HELPER_THREAD_H_
