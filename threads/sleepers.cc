#include "threads/sleepers.h"

#include "isomalloc/heap.h"

namespace roam::threads {

void Sleepers::add(Tcb* t, std::int64_t deadline_ns) {
  iso::HeapScope process;
  sleepers_.emplace(deadline_ns, t);
  t->deadline_ns = deadline_ns;
}

void Sleepers::erase(Tcb* t) {
  iso::HeapScope process;
  sleepers_.erase({t->deadline_ns, t});
}

}  // namespace roam::threads
