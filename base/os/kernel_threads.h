#ifndef ROAM_BASE_OS_KERNEL_THREADS_H_
#define ROAM_BASE_OS_KERNEL_THREADS_H_

#include <cstddef>
#include <cstdint>

namespace roam::os {

// How many kernel threads this process has; 1 if that cannot be known. One that has been joined may
// be among them for a moment: the kernel wakes who joins it before it is gone.
int kernel_threads();

// The kernel's number of the calling one.
int kernel_thread_id();
// Processor time that kernel thread `id` of this process has had; 0 if it has none any more.
std::int64_t processor_ns(int id);

// What kernel thread `id` of this process does, as seen from another. If it waits: writes in which
// system call, "read of descriptor 4", into `call`. kUnknown: there is no /proc that says it.
// Allocates nothing.
enum class Doing { kRuns, kWaits, kUnknown };
Doing look_at(int id, char* call, std::size_t bytes);

}  // namespace roam::os

#endif  // ROAM_BASE_OS_KERNEL_THREADS_H_
