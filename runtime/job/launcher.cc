#include "runtime/job/launcher.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/os/give_core.h"
#include "base/os/signals.h"
#include "base/text.h"

namespace roam::runtime {
namespace {

struct Launcher {
  const char* name;
  const char* size;        // variable with the number of processes
  const char* rank;        // variable with this one's number
  bool outermost = false;  // what it started may be MPI's own launcher
};

constexpr Launcher kOfMpich = {"a launcher that speaks PMI", "PMI_SIZE", "PMI_RANK"};
constexpr Launcher kOfOpenMpi = {"Open MPI's mpiexec", "OMPI_COMM_WORLD_SIZE",
                                 "OMPI_COMM_WORLD_RANK"};

// The MPI's own first: where it is there, the others are left over from who called it. The other
// MPI's may itself have been called by it, so it counts beside it; a batch system's does not.
std::array<Launcher, 5> launchers_for(MpiLibrary mpi) {
  const bool open_mpi = mpi == MpiLibrary::kOpenMpi;
  return {open_mpi ? kOfOpenMpi : kOfMpich,
          open_mpi ? kOfMpich : kOfOpenMpi,
          {"srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", true},
          {"flux run", "FLUX_JOB_SIZE", "FLUX_TASK_RANK", true},
          {"jsrun", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_RANK", true}};
}

constexpr const char* kPmixRank = "PMIX_RANK";

// MPICH's launcher: the descriptor of the simple form of PMI, in which a command is a line of text.
// -1: none.
int launcher_fd = -1;

}  // namespace

void find_launcher() {
  const char* fd = std::getenv("PMI_FD");
  const char* version = std::getenv("MPIR_CVAR_PMI_VERSION");
  launcher_fd = -1;
  // Other launchers may have another form under the same name.
  if (fd == nullptr || std::getenv("HYDI_CONTROL_FD") == nullptr) return;
  if (version != nullptr && std::strcmp(version, "1") != 0) return;
  launcher_fd = static_cast<int>(std::strtol(fd, nullptr, 10));
}

void tell_launcher(int status, bool once_gone) {
  if (launcher_fd < 0) return;
  char line[48];
  const int n = std::snprintf(line, sizeof line, "cmd=abort exitcode=%d\n", status);
  if (once_gone) {
    os::write_when_gone(launcher_fd, line, static_cast<std::size_t>(n));
  } else {
    os::stop_for_us(100'000);  // it drops what it has not read when it is told
    syscall(SYS_write, launcher_fd, line, n);
  }
}

std::string wrong_launcher(int ranks, MpiLibrary mpi) {
  if (ranks != 1) return {};
  const MpiNames& names = names_of(mpi);
  const std::array<Launcher, 5> launchers = launchers_for(mpi);
  const bool by_own = std::getenv(launchers[0].size) != nullptr;
  for (const Launcher& launcher : launchers) {
    const char* size = std::getenv(launcher.size);
    if (size == nullptr || (launcher.outermost && by_own)) continue;
    const long started = std::strtol(size, nullptr, 10);
    if (started <= 1) continue;
    return text(
        "%s started %ld processes (%s=%s), but to %s, which this program is linked with, each "
        "of them is a job of one rank: the program would run %ld times. Start it with %s's "
        "launcher, %s -n %ld PROGRAM; or set ROAM_SINGLE=1 if each process is meant to "
        "be a job of its own.",
        launcher.name, started, launcher.size, size, names.library, started, names.library,
        names.launcher, started);
  }
  // A launcher of PMIx, such as a bare prterun, does not say how many there are. Its first process
  // cannot tell that there are others; they end the job.
  const char* number = std::getenv(kPmixRank);
  if (!by_own && number != nullptr && std::strtol(number, nullptr, 10) > 0) {
    return text(
        "a launcher that speaks PMIx (prterun, say) started this process beside others (%s=%s), "
        "but to %s, which this program is linked with, each of them is a job of one rank. Start "
        "it with %s's launcher, %s -n N PROGRAM; or set ROAM_SINGLE=1 if each "
        "process is meant to be a job of its own.",
        kPmixRank, number, names.library, names.library, names.launcher);
  }
  return {};
}

bool speaks_for_all(MpiLibrary mpi) {
  for (const Launcher& launcher : launchers_for(mpi)) {
    const char* rank = std::getenv(launcher.rank);
    if (rank != nullptr) return std::strcmp(rank, "0") == 0;
  }
  return true;
}

}  // namespace roam::runtime
