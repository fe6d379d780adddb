#include "runtime/api/abort.h"

#include "isomalloc/heap.h"
#include "runtime/net/mpi.h"
#include "threads/scheduler.h"

namespace roam::runtime {

void abort_job(int status) {
  const iso::HeapScope process;
  threads::on_rank_stack([status] { Mpi::abort(status); });
  __builtin_unreachable();
}

}  // namespace roam::runtime
