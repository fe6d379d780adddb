#include "runtime/launcher.h"

#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace roam::runtime {
namespace {

struct Launcher {
  const char* name;
  const char* size;  // variable with the number of processes
  const char* rank;  // variable with this one's number
};

// MPICH's own first: where it is there, the others are left over from who called it.
constexpr Launcher kLaunchers[] = {
    {"a launcher that speaks PMI", "PMI_SIZE", "PMI_RANK"},
    {"Open MPI's mpiexec", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
    {"srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"},
    {"flux run", "FLUX_JOB_SIZE", "FLUX_TASK_RANK"},
    {"jsrun", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_RANK"},
};

}  // namespace

std::string wrong_launcher(int ranks) {
  if (ranks != 1) return {};
  for (const Launcher& launcher : kLaunchers) {
    const char* size = std::getenv(launcher.size);
    if (size == nullptr) continue;
    const long started = std::strtol(size, nullptr, 10);
    if (started <= 1) continue;
    return text(
        "%s started %ld processes (%s=%s), but to MPICH, which this program is linked with, each "
        "of them is a job of one rank: the program would run %ld times. Start it with MPICH's "
        "launcher, mpiexec.hydra -n %ld PROGRAM; or set ROAM_SINGLE=1 if each process is meant to "
        "be a job of its own.",
        launcher.name, started, launcher.size, size, started, started);
  }
  return {};
}

bool speaks_for_all() {
  for (const Launcher& launcher : kLaunchers) {
    const char* rank = std::getenv(launcher.rank);
    if (rank != nullptr) return std::strcmp(rank, "0") == 0;
  }
  return true;
}

}  // namespace roam::runtime
