#ifndef ROAM_MPI_IMAGE_LAUNCH_H_
#define ROAM_MPI_IMAGE_LAUNCH_H_

#include <cstddef>
#include <string>
#include <vector>

#include "mpi/image/layout.h"
#include "mpi/image/module_set.h"
#include "mpi/image/refusal.h"

// What launchers of images have in common.
namespace roam::mpi {

struct LaunchRequest {
  int virtual_ranks = 0;  // 0: as many as ranks
  std::size_t stack_bytes = 8 << 20;
  bool moves = false;
  int most_threads = 3;  // of the levels of MPI_Init_thread, in their order
  std::string balance;   // as ROAM_BALANCE has it; empty: not said
  LibraryRule rule;
  std::vector<std::string> arguments;  // the program's path first
};

// Of a launcher's command line. Refusal: what is wrong, and `usage`.
LaunchRequest read_request(int argc, char** argv, const char* usage);

// Finds the program, looks at it, and makes the layout that its images follow in this process; kept
// to the end of the process. Whoever calls it has added its calls (add_launcher_call) before.
// Refusal: the program cannot run as virtual ranks.
const Layout& prepare_images(const LaunchRequest& request);

// Says on this rank why the program cannot run, before the job has begun. The others have the same
// to say, and are ended with this one, unless their files differ.
void tell_refusal(const char* launcher, const Refusal& refusal);

// Numbers for the virtual ranks of a job as processes: `count` from there on, which no process of
// any machine has, and other jobs hardly.
int first_process_number(int count);

// This process's environment with what tells a virtual rank its number (rank_lines.h). Context: a
// thread of Roam, where the virtual rank begins.
std::vector<std::string> environment_of(int number, int count);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_LAUNCH_H_
