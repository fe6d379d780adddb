#ifndef ROAM_ISOMALLOC_IN_PROCESS_H_
#define ROAM_ISOMALLOC_IN_PROCESS_H_

#include <new>

#include "isomalloc/heap.h"
#include "roam/error.h"

namespace roam::iso {

// Calls `f` with the capture off. An error that leaves it would be in the process's memory, which
// does not travel, with the thread that catches it: it is made anew in the caller's heap.
template <class F>
decltype(auto) in_process(F&& f) {
  try {
    HeapScope process;
    return f();
  } catch (const Error& error) {
    throw Error(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    throw std::bad_alloc();
  }
}

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_IN_PROCESS_H_
