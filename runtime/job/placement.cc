#include "runtime/job/placement.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "runtime/net/library.h"

namespace roam::runtime {

std::string bound_alike(int ranks, const os::CoreSet& cores, int machine_cores) {
  const int shared = os::count(cores);
  if (shared >= std::min(ranks, machine_cores)) return "";
  for (const char* name : {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0' || strcasecmp(value, "false") == 0) continue;
    return text(
        "the %d ranks of this machine share %d of its %d cores (number %d%s), because of "
        "%s=%s: OpenMP binds every process of a job to the same. Start the job without it, "
        "or bind each rank to cores of its own: %s",
        ranks, shared, machine_cores, os::first(cores), shared > 1 ? " first" : "", name, value,
        names_of(mpi_library()).binding_launcher);
  }
  return "";
}

}  // namespace roam::runtime
