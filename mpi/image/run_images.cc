// Runs a program that calls no MPI, as built by any compiler, as virtual ranks: threads of Roam in
// the ranks of this job, each with variables of its own.
//
//   mpiexec -n 4 run_images [-n VIRTUAL_RANKS] [OPTIONS] PROGRAM ARGUMENTS...

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "mpi/image/entry.h"
#include "mpi/image/image.h"
#include "mpi/image/launch.h"
#include "mpi/image/layout.h"
#include "mpi/image/place_calls.h"
#include "mpi/image/process_symbols.h"
#include "mpi/image/refusal.h"
#include "mpi/image/same_files.h"
#include "roam/roam.h"
#include "runtime/job/launcher.h"

namespace roam::mpi {
namespace {

constexpr char kUsage[] =
    "usage: run_images [-n VIRTUAL_RANKS] [--stack=BYTES] [--move] [--private=LIBRARY]\n"
    "                  [--shared=LIBRARY] PROGRAM ARGUMENTS...\n"
    "  -n N               as many virtual ranks, spread over the ranks; without: one a rank\n"
    "  --stack=BYTES      address space for the stack of each (default 8388608)\n"
    "  --move             each call of sched_yield sends its virtual rank on to the next rank\n"
    "  --private=LIBRARY  each virtual rank has that library (libNAME.so.1) for itself\n"
    "  --shared=LIBRARY   the ranks have it\n"
    "A virtual rank finds its number in ROAM_VIRTUAL_RANK, and their count in "
    "ROAM_VIRTUAL_RANKS.\n";

// ---- what programs may call of the launcher ----

int yield_and_move() {
  this_thread::yield();
  go_to((rank() + 1) % ranks());  // one that is pinned stays
  return 0;
}

void add_own_calls(bool moves) {
  add_place_calls(1);
  if (moves) add_launcher_call("sched_yield", &yield_and_move);
}

// ---- the virtual ranks ----

const Layout* layout_here = nullptr;  // of this process

// How a virtual rank ended, for who joins its thread.
struct Failed {
  int status;
};

void run_one(int number, int count, int process_number, const std::vector<std::string>& arguments) {
  int status;
  {
    Image image(*layout_here, arguments, environment_of(number, count), number, process_number);
    status = run_program(&image);
  }
  if (status != 0) throw Failed{status};
}

// The status of the first that failed, as mpiexec gives one of many.
int run_all(const LaunchRequest& request) {
  if (const std::string why = files_that_differ(layout_here); !why.empty()) {
    std::fprintf(stderr, "run_images: %s\n", why.c_str());
    return 2;
  }
  const int count = request.virtual_ranks != 0 ? request.virtual_ranks : ranks();
  const int first = first_process_number(count);
  std::vector<Thread> threads;
  for (int i = 0; i < count; ++i) {
    const std::string name = "virtual rank " + std::to_string(i);
    const int home = static_cast<int>(std::int64_t{i} * ranks() / count);
    threads.push_back(
        spawn(SpawnOptions{.name = name, .stack_bytes = request.stack_bytes, .rank = home}, run_one,
              i, count, first + i, request.arguments));
  }
  int status = 0;
  for (const Thread& thread : threads) {
    try {
      thread.join();
    } catch (const Failed& failed) {
      if (status == 0) status = failed.status;
    }
  }
  return status;
}

int run_main(int argc, char** argv) {
  LaunchRequest request;
  try {
    request = read_request(argc, argv, kUsage);
    add_own_calls(request.moves);
    layout_here = &prepare_images(request);
    check_restarts(*layout_here, request.virtual_ranks);
  } catch (const Refusal& refusal) {
    tell_refusal("run_images", refusal);
    return 2;
  }
  return run(argc, argv, [request] { return run_all(request); });
}

}  // namespace
}  // namespace roam::mpi

int main(int argc, char** argv) { return roam::mpi::run_main(argc, argv); }
