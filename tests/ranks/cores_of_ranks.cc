// Every kernel thread of each rank, Roam's, MPI's and the program's, may run on the cores that the
// launcher gave the rank, and on no others.
//
//   cores_of_ranks [one]     one: that is one core, and another than the next rank's
#include <dirent.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "roam/roam.h"
#include "tests/support/check.h"

namespace {

using roam_test::expect;
using roam_test::expect_eq;

// As /proc shows it of a process or of one kernel thread: "0-3,8".
std::string cores_of(const std::string& status) {
  constexpr std::string_view kName = "Cpus_allowed_list:";
  std::ifstream file(status);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kName)) continue;
    return line.substr(line.find_first_not_of(" \t", kName.size()));
  }
  return "nothing that is known";
}

// What the launcher gave: before main, neither Roam nor MPI has run.
const std::string given = cores_of("/proc/self/status");

// Of how many kernel threads this is so.
int check_kernel_threads() {
  int threads = 0;
  DIR* tasks = opendir("/proc/self/task");
  expect(tasks != nullptr, "/proc/self/task can be read");
  while (const dirent* task = readdir(tasks)) {
    if (task->d_name[0] == '.') continue;
    const std::string cores = cores_of(std::string("/proc/self/task/") + task->d_name + "/status");
    if (cores == "nothing that is known") continue;  // it has ended meanwhile
    ++threads;
    expect_eq(cores, given, std::string("what kernel thread ") + task->d_name + " may run on");
  }
  closedir(tasks);
  return threads;
}

}  // namespace

int main(int argc, char** argv) {
  const bool one = argc > 1 && std::string_view(argv[1]) == "one";
  return roam::run(argc, argv, [one] {
    roam::spawn_team(roam::ranks(), [one] {
      const roam::Team team = roam::Team::current();
      std::thread([] { check_kernel_threads(); }).join();  // also one of the program's
      const int threads = check_kernel_threads();
      std::printf("rank %d: its %d kernel threads may run on %s\n", roam::rank(), threads,
                  given.c_str());
      expect(threads > 1, "there are others than the rank's own");
      if (!one) return;
      expect(given.find_first_not_of("0123456789") == std::string::npos, given + " is one core");
      const auto core = std::uint64_t{1} << std::stoi(given) % 64;
      const auto cores = team.allreduce(core, std::bit_or<std::uint64_t>());
      expect_eq(std::popcount(cores), roam::ranks(), "cores of all ranks");
    }).join();
  });
}
