#include "mpi/calls/ending.h"

#include <cstdio>

#include "base/check.h"
#include "isomalloc/heap.h"
#include "runtime/api/abort.h"

namespace roam::mpi {

void end_job(int status, const std::string& why) {
  {
    const iso::HeapScope process;
    report(why.c_str());
    std::fflush(nullptr);
  }
  runtime::abort_job(status);
}

}  // namespace roam::mpi
