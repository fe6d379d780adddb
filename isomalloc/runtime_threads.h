#ifndef ROAM_ISOMALLOC_RUNTIME_THREADS_H_
#define ROAM_ISOMALLOC_RUNTIME_THREADS_H_

#include <pthread.h>

// Kernel threads that the runtime, or MPI below it, has for itself. They wake no thread of the
// program: whoever looks for the end of the job counts the others.
namespace roam::iso {

// How many of them run. One that begins or ends may not be among them.
int runtime_threads();

// While one lives, those that the calling kernel thread makes are the runtime's.
class ForRuntime {
 public:
  ForRuntime();
  ~ForRuntime();
  ForRuntime(const ForRuntime&) = delete;
  ForRuntime& operator=(const ForRuntime&) = delete;
};

// The layer that knows MPI sets it: whether the call that returns to `caller` was made by MPI, for
// whomever MPI was called. Null: there is no such layer.
extern bool (*called_by_mpi)(const void* caller);

// Whether the kernel thread that the call which returns to `caller` makes is the runtime's.
// Context: plain code; the capture off.
bool made_for_runtime(const void* caller);

// pthread_create of one that is counted; `real` is libc's.
int create_for_runtime(int (*real)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*),
                       pthread_t* id, const pthread_attr_t* attributes, void* (*body)(void*),
                       void* argument);

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_RUNTIME_THREADS_H_
