#ifndef ROAM_BASE_OS_KERNEL_THREADS_H_
#define ROAM_BASE_OS_KERNEL_THREADS_H_

namespace roam::os {

// How many kernel threads this process has; 1 if that cannot be known.
int kernel_threads();

}  // namespace roam::os

#endif  // ROAM_BASE_OS_KERNEL_THREADS_H_
