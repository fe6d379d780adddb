#ifndef ROAM_THREADS_CHILD_H_
#define ROAM_THREADS_CHILD_H_

#include "isomalloc/arena.h"
#include "threads/scheduler.h"

// A process that fork made of a rank. It takes no part in the job: the thread that called goes on
// there as plain code, with a copy of all that the threads of its rank had, and nobody else runs.
namespace roam::threads {

// Whether this process is one.
extern constinit bool is_child;

// Says so of a call that only the job can answer. Errors: Error(not_in_thread) in a child.
void refuse_in_child(const char* call);

// What the threads of this rank have on the node, and explicit blocks, of which nobody knows whose
// they are. Context: any kernel thread; others may make and free memory meanwhile.
iso::Arena::ChildMemory memory_of_rank();

// In the child, on a kernel thread's own stack: `forker` (null: it was no thread that called) goes
// on there. `shared`: what memory_of_rank() found before, to be copied; null if the arena is the
// process's own anyway. Allocates nothing. Errors: false with errno; then nothing of the arena may
// be touched.
bool become_child(Tcb* forker, const iso::Arena::ChildMemory* shared);

// What the layer above does in a child, as soon as its memory is its own; and where the thread goes
// that has called fork when its function returns.
struct ChildHooks {
  void (*begin)() = nullptr;
  Host* host = nullptr;
};
extern ChildHooks child_hooks;

}  // namespace roam::threads

#endif  // ROAM_THREADS_CHILD_H_
