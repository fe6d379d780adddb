#ifndef ROAM_ISOMALLOC_PROCESS_BLOCKS_H_
#define ROAM_ISOMALLOC_PROCESS_BLOCKS_H_

#include <atomic>
#include <vector>

#include "base/range.h"

// What lives in glibc's heap, for who looks for pointers there, and which of it the runtime made
// for itself: its tables are full of addresses of threads, and MPI's buffers of copies of them.
namespace roam::iso {

// From now on blocks of the process that are made while `mine()` says so are known as the
// runtime's, until they are freed. `mine` is called in any kernel thread; it allocates nothing.
void note_runtime_blocks(bool (*mine)());
bool is_runtime_block(const void* block);
Range memory_of_notes();  // where that is written down

// The blocks in use in glibc's heap of the main kernel thread that are not the runtime's, as far as
// malloc's records can be read, in the order of their addresses. `heap` is what the kernel calls
// [heap].
// REQUIRES: note_runtime_blocks() was called.
std::vector<Range> process_blocks(Range heap);
// The block that begins a mapping of its own at `begin`, as glibc makes of large ones; empty if
// there is none.
Range block_in_mapping(Range mapping);

// What the malloc family calls: a block of the process was made, or is freed. False: it is none of
// the runtime's.
extern std::atomic<bool> runtime_blocks_are_noted;
void note_process_block(void* block);
bool forget_process_block(void* block);
void keep_runtime_block(void* block);  // it moved

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_PROCESS_BLOCKS_H_
