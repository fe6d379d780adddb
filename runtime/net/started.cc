#include "runtime/net/started.h"

#include <dlfcn.h>
#include <mpi.h>

#include <cstdlib>
#include <optional>

#include "base/check.h"
#include "roam/error.h"

namespace roam::runtime {
namespace {

// A variable of the environment that is set while MPI starts, where the user has not set it.
// Nothing of it is left to what the program starts later.
class WhileItStarts {
 public:
  WhileItStarts(const char* name, const char* value)
      : name_(name), set_(std::getenv(name) == nullptr && setenv(name, value, 0) == 0) {}
  ~WhileItStarts() {
    if (set_) unsetenv(name_);
  }
  WhileItStarts(const WhileItStarts&) = delete;
  WhileItStarts& operator=(const WhileItStarts&) = delete;

 private:
  const char* const name_;
  const bool set_;
};

// Whether MPI stands on a UCX of 1.16 or later: one before prints a warning of the variable.
bool ucx_has_bound_of_notes() {
  const auto version = reinterpret_cast<void (*)(unsigned*, unsigned*, unsigned*)>(
      dlsym(RTLD_DEFAULT, "ucp_get_version"));
  if (version == nullptr) return false;
  unsigned major = 0, minor = 0, release = 0;
  version(&major, &minor, &release);
  return major > 1 || (major == 1 && minor >= 16);
}

}  // namespace

bool mpi_runs() {
  int started = 0, ended = 0;
  return MPI_Initialized(&started) == MPI_SUCCESS && started != 0 &&
         MPI_Finalized(&ended) == MPI_SUCCESS && ended == 0;
}

bool start_mpi(int* argc, char*** argv) {
  int started = 0, ended = 0;
  MPI_Finalized(&ended);
  if (ended != 0) {
    throw Error(
        Errc::not_running,
        "MPI has ended and cannot start again in this process. To call run() more than once, "
        "call MPI_Init before the first and MPI_Finalize after the last.");
  }
  MPI_Initialized(&started);
  if (started == 0) {
    int level = 0;
    // What the launcher knows of the job, PMIx of Open MPI 5 would have as memory at an address
    // that the launcher chose: in the middle of what it sees free, where the arena is.
    const WhileItStarts by_copies("PMIX_MCA_gds", "hash");
    // Open MPI 5 does not start without one, as services and cleaned environments run.
    const WhileItStarts home("HOME", "/nonexistent");
    // UCX 1.18 notes each range that is unmapped or given back until it registers memory again,
    // without a bound: 144 bytes each (findings/ucx-notes-each-munmap.sh). This much may wait.
    std::optional<WhileItStarts> few_notes;
    if (ucx_has_bound_of_notes()) few_notes.emplace("UCX_RCACHE_MAX_UNRELEASED", "64m");
    const int result = MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &level);
    ROAM_CHECK(result == MPI_SUCCESS, "MPI_Init_thread failed with MPI error %d", result);
  }
  return started == 0;
}

bool all_ranks(bool mine) {
  const int own = mine ? 1 : 0;
  int all = 0;
  return MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD) == MPI_SUCCESS && all != 0;
}

}  // namespace roam::runtime
