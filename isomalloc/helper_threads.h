#ifndef ROAM_ISOMALLOC_HELPER_THREADS_H_
#define ROAM_ISOMALLOC_HELPER_THREADS_H_

#include <atomic>
#include <cstddef>

#include "isomalloc/process_blocks.h"

// Kernel threads that a thread of the runtime starts: std::thread, std::async, pthread_create.
// What they allocate is the process's memory, and what they compute is handed to the thread. So
// each block of theirs is known while it lives, and pins the thread that started them, as their
// handle does while it can be joined. Threads' own blocks are not looked at.
namespace roam::iso {

struct Helper;
class Heap;

// Whose helper the calling kernel thread is; null for the rank's own and the program's other ones.
extern thread_local constinit Helper* helper [[gnu::tls_model("initial-exec")]];

// Blocks of helpers that live: while there are none, free looks no further.
extern std::atomic<std::size_t> helper_blocks;

// One for kernel threads that work for the thread of `caller`, which it pins as `what`; live until
// release_helper(). Called with the capture off. Null: no memory.
Helper* new_helper(const char* what, Heap* caller);

// The calling helper allocated `block`, in the process's memory. Returns it.
void* note_helper_block(void* block);
// `block` is freed, or moves: whose it was, or null. The owner stays pinned until the result goes
// to hold_helper_block or release_helper.
Helper* forget_helper_block(void* block);
void hold_helper_block(Helper* owner, void* block);
void release_helper(Helper* owner);

// From now on malloc asks whose kernel thread calls it: the first helper is being made.
void look_at_process_allocations();
// Whether free looks at each of the process's blocks (capture.cc), which costs it some time.
void look_at_process_frees(bool on);

inline void* from_process(void* block) {
  if (runtime_blocks_are_noted.load(std::memory_order_relaxed)) [[unlikely]]
    note_process_block(block);
  return helper == nullptr ? block : note_helper_block(block);
}

// Called between two looks whether a kernel thread that is joined has ended: lets other threads of
// the rank run, for one of which it may wait. False, or null: the caller is no thread.
extern bool (*between_joins)(int round);

// While the runtime does its own bookkeeping in a helper.
class HelperScope {
 public:
  HelperScope() : saved_(helper) { helper = nullptr; }
  ~HelperScope() { helper = saved_; }
  HelperScope(const HelperScope&) = delete;
  HelperScope& operator=(const HelperScope&) = delete;

 private:
  Helper* saved_;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_HELPER_THREADS_H_
