#include "runtime/api/abort.h"

#include "base/job_record.h"
#include "isomalloc/heap.h"
#include "runtime/net/mpi.h"
#include "threads/scheduler.h"

namespace roam::runtime {

void abort_job(int status) {
  const iso::HeapScope process;
  job_record::fails(status, "the program aborted the job");
  threads::on_rank_stack([status] { Mpi::abort(status); });
  __builtin_unreachable();
}

}  // namespace roam::runtime
