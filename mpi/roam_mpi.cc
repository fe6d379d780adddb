// Runs an MPI program, as built by MPICH's compilers, as virtual ranks: threads of Roam in the
// ranks of this job, each with variables of its own, which migrate.
//
//   mpiexec -n 4 roam-mpi -n 64 PROGRAM ARGUMENTS...

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/ending.h"
#include "mpi/calls/file.h"
#include "mpi/calls/open_files.h"
#include "mpi/calls/virtual_rank.h"
#include "mpi/image/entry.h"
#include "mpi/image/image.h"
#include "mpi/image/launch.h"
#include "mpi/image/refusal.h"
#include "mpi/image/same_files.h"
#include "roam/checkpoint.h"
#include "roam/error.h"
#include "roam/roam.h"
#include "threads/kernel_state.h"
#include "threads/scheduler.h"

namespace roam::mpi {
namespace {

constexpr char kUsage[] =
    "usage: roam-mpi [-n VIRTUAL_RANKS] [--stack=BYTES] [--balance[=HOW]] [--move]\n"
    "                [--threads=LEVEL] [--private=LIBRARY] [--shared=LIBRARY] [--preload=LIBRARY]\n"
    "                PROGRAM ARGUMENTS...\n"
    "  -n N               the size of MPI_COMM_WORLD: so many virtual ranks, spread over the "
    "ranks;\n"
    "                     without: one a rank\n"
    "  --stack=BYTES      address space for the stack of each (default 8388608)\n"
    "  --balance=HOW      auto (the default): virtual ranks are moved where that pays; off; or a\n"
    "                     strategy of ROAM_BALANCE, for where the program calls AMPI_Migrate\n"
    "  --threads=LEVEL    at most that thread level is granted: single, funneled, serialized or\n"
    "                     multiple (the default); the program makes no kernel threads in any case\n"
    "  --move             each blocking call sends its virtual rank on to the next rank\n"
    "  --private=LIBRARY  each virtual rank has that library (libNAME.so.1) for itself\n"
    "  --shared=LIBRARY   the ranks have it\n"
    "  --preload=LIBRARY  what it defines goes before other libraries, as by LD_PRELOAD\n";

const Layout* layout_here = nullptr;  // of this process

// How a virtual rank ended, for who joins the team.
struct Failed {
  int status;
};

void run_one(int count, int first_number, std::int64_t begin_ns,
             const std::vector<std::string>& arguments) {
  int status;
  const int number = Team::current().index();
  {
    VirtualRank me(number, count, begin_ns);
    Image image(*layout_here, arguments, environment_of(number, count), number,
                first_number + number);
    image.attached = &me;
    image.call = &me.call;
    status = run_program(&image);
    if (me.is_open()) {
      end_job(
          status == 0 ? 1 : status,
          text("virtual rank %d ended with status %d, and without %s", number, status,
               me.state == VirtualRank::State::kInside ? "MPI_Finalize" : "MPI_Session_finalize"));
    }
    me.give_up_requests();
  }
  if (status != 0) throw Failed{status};
}

// What is written to them between a checkpoint and the end of the job would not be taken back by a
// restart. Any file that is open is so in the process where it was opened first.
void refuse_open_files() {
  if (open_files::count() == 0) return;
  std::string whose = text("a virtual rank has a file open by MPI_File_open");
  threads::scheduler().slots().for_each([&](const detail::Tcb* t) {
    if ((t->keeps & threads::KernelState::kGuest) == 0) return;
    const auto* me = static_cast<const VirtualRank*>(static_cast<const Image*>(t->guest)->attached);
    // Numbers of closed ones are taken again.
    for (int i = 1; me != nullptr && i <= static_cast<int>(open_files::count()); ++i) {
      const File* file = me->files.find_number(i);
      if (file == nullptr) continue;
      whose = text("virtual rank %d has the file '%s' open by MPI_File_open", me->number(),
                   file->name.path.c_str());
    }
  });
  throw Error(Errc::checkpoint_failed,
              whose +
                  ", and what is written to it would not be taken back by a restart. A "
                  "checkpoint is made when MPI_File_close has closed it");
}

// The status of the lowest that failed.
int run_all(const LaunchRequest& request) {
  if (const std::string why = files_that_differ(layout_here); !why.empty()) {
    std::fprintf(stderr, "roam-mpi: %s\n", why.c_str());
    return 2;
  }
  const int count = request.virtual_ranks != 0 ? request.virtual_ranks : ranks();
  const Team team = spawn_team(
      SpawnOptions{.name = "virtual rank", .stack_bytes = request.stack_bytes}, count, run_one,
      count, first_process_number(count), time_of_day_ns() - now_ns(), request.arguments);
  try {
    team.join();
  } catch (const Failed& failed) {
    return failed.status;
  }
  return 0;
}

int run_main(int argc, char** argv) {
  LaunchRequest request;
  try {
    request = read_request(argc, argv, kUsage);
    for (const char* library : {"libmpich.so.12", "libmpi.so.12"})
      request.rule.made_shared.emplace_back(library);
    VirtualRank::moves_at_each_wait = request.moves;
    VirtualRank::most_thread_level = request.most_threads;
    // What the user has set in the environment is kept, but for what the command line says.
    setenv("ROAM_BALANCE", request.balance.empty() ? "auto" : request.balance.c_str(),
           request.balance.empty() ? 0 : 1);
    add_mpi_calls();
    layout_here = &prepare_images(request);
    check_restarts(*layout_here, request.virtual_ranks);
    on_checkpoint(refuse_open_files);
  } catch (const Refusal& refusal) {
    tell_refusal("roam-mpi", refusal);
    return 2;
  }
  return run(argc, argv, [request] { return run_all(request); });
}

}  // namespace
}  // namespace roam::mpi

int main(int argc, char** argv) { return roam::mpi::run_main(argc, argv); }
