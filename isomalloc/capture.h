#ifndef ROAM_ISOMALLOC_CAPTURE_H_
#define ROAM_ISOMALLOC_CAPTURE_H_

#include <cstdint>
#include <string>

#include "isomalloc/heap.h"

namespace roam::iso {

// From now on free tells arena blocks by their address. Called once the arena is ready.
void start_capture();

// Says which function of the malloc family is another library's in this process, and what to do;
// empty: all are ours. A library that comes before this one in the order of loading (LD_PRELOAD,
// the link line) takes them away, and what threads allocate then lies in the process's memory.
std::string malloc_taken_by();

// What the layer above wants to know of calls whose memory belongs to the process, and tells.
struct ProcessHooks {
  // `object`, a `what` such as "FILE*", was opened by the thread with this heap, or for it where it
  // is being made or is given something, and it cannot move before that is closed. `lent`: the
  // object refers to memory in that heap and is the process's, so the memory stays when the thread
  // ends. Called with the capture off.
  void (*opened)(Heap* heap, const void* object, const char* what, bool lent) = nullptr;
  // The heap of the calling thread, also while its capture is off; null outside threads.
  Heap* (*thread_heap)() = nullptr;
  // A number of the calling thread that no other has, nor another after it; 0 outside threads.
  std::uint64_t (*thread_number)() = nullptr;
};
// Called wherever an object is closed, also outside threads.
extern void (*process_object_closed)(const void* object);
extern ProcessHooks process_hooks;

// While a function-local static is initialised in a thread: its memory is the process's, and the
// thread stays.
struct StaticInitHooks {
  void (*begin)() = nullptr;  // capture goes off for the calling thread
  void (*end)() = nullptr;
  bool (*yield)() = nullptr;  // lets other threads run; false outside threads
  std::uint32_t (*caller)() =
      nullptr;  // a number of the calling thread, even, not 0; 0 outside threads
};
extern StaticInitHooks static_init_hooks;

// Makes at start what libc and libstdc++ would make at first use: stdio's buffers, timezone data,
// the first exception.
void warm_up_process_state();

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_CAPTURE_H_
