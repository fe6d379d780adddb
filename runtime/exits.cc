#include "runtime/exits.h"

#include <cstdio>
#include <cstdlib>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "runtime/runtime.h"
#include "threads/scheduler.h"

namespace roam::runtime {
namespace {

void end_job(int status, void*) {
  const Runtime& runtime = the_runtime();
  if (!runtime.running()) return;
  iso::HeapScope process;
  report(text("exit(%d) was called while the job runs: the job ends with status %d", status,
              status & 0xff)
             .c_str());
  std::fflush(nullptr);
  threads::on_rank_stack([&] { Mpi::abort(status & 0xff); });
}

}  // namespace

void watch_exits() { on_exit(end_job, nullptr); }

}  // namespace roam::runtime
