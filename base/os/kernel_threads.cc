#include "base/os/kernel_threads.h"

#include <sys/stat.h>

#include <algorithm>

namespace roam::os {

// Each is a folder there, and a folder has a link from each of its folders, and two more.
int kernel_threads() {
  struct stat tasks;
  if (stat("/proc/self/task", &tasks) != 0) return 1;
  return std::max(static_cast<int>(tasks.st_nlink) - 2, 1);
}

}  // namespace roam::os
