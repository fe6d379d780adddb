#ifndef ROAM_ISOMALLOC_CAPTURE_H_
#define ROAM_ISOMALLOC_CAPTURE_H_

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
  // `object`, a `what` such as "FILE*", was opened by the calling thread, which cannot move before
  // it is closed. Called in a thread's context only, with the capture off.
  void (*opened)(const void* object, const char* what) = nullptr;
  // The same for the thread with this heap, which may be one that is being made. `lent`: the object
  // refers to memory in that heap and is the process's, so the memory stays when the thread ends.
  void (*opened_in)(Heap* heap, const void* object, const char* what, bool lent) = nullptr;
  // The heap of the calling thread, also while its capture is off; null outside threads.
  Heap* (*thread_heap)() = nullptr;
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
