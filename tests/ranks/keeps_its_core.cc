// A rank that has threads to run asks MPI between them, and MPI does not give its processor up when
// nothing has come. What the program starts hears nothing of what MPI was told when it started.
#include <dlfcn.h>
#include <mpi.h>

#include <cstdio>
#include <cstdlib>

#include "roam/roam.h"

namespace {

constexpr const char* kVariables[] = {"PMIX_MCA_gds", "UCX_RCACHE_MAX_UNRELEASED"};

#ifdef OPEN_MPI
// Whether a look in vain gives the processor up. Says what was so, and sets it.
using SetYield = bool (*)(bool);
#endif

int ask() {
  for (const char* variable : kVariables) {
    if (std::getenv(variable) == nullptr) continue;
    std::fprintf(stderr, "rank %d: %s is left in the environment\n", roam::rank(), variable);
    return 1;
  }
#ifdef OPEN_MPI
  const auto set_yield =
      reinterpret_cast<SetYield>(dlsym(RTLD_DEFAULT, "opal_progress_set_yield_when_idle"));
  if (set_yield == nullptr || set_yield(false)) {
    std::fprintf(stderr, "rank %d: MPI %s\n", roam::rank(),
                 set_yield == nullptr ? "cannot be asked" : "yields when it is asked in vain");
    return 1;
  }
#endif
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    int failed = 0;
    for (int i = 0; i < roam::ranks(); ++i) {
      roam::this_thread::migrate(i);
      failed |= ask();
    }
    return failed;
  });
}
