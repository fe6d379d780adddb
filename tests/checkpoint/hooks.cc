// A hook of a restart that takes all addresses there are for blocks, on the last rank, after those
// of the other ranks have ended: it asks them for what they have. Or what fails before a checkpoint
// is written, on the last rank, or on rank 0 as job data is of rank 0: the job goes on, and one
// that is made then is whole.
//
//   hooks FOLDER [hook | data | large]
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "roam/isomalloc.h"
#include "roam/roam.h"

namespace {

constexpr std::size_t kBlock = 64 << 20;
std::size_t taken = 0;

void take_all() {
  if (roam::rank() != roam::ranks() - 1) return;
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  std::vector<void*> blocks;
  while (void* block = iso_malloc(kBlock)) blocks.push_back(block);
  taken = blocks.size();
  for (void* block : blocks) iso_free(block);
}

std::string fails;
int checkpoints = 0;  // that were begun: the first fails

// No kind of std::exception, or too much for a checkpoint.
struct Fails {
  template <class Pup>
  void pup(Pup& p) {
    const bool now = checkpoints == 1;
    if (now && fails == "data") throw 7;
    std::vector<char> bytes(now && fails == "large" ? std::size_t{65} << 20 : 1);
    p | bytes;
  }
} data;

void begin_checkpoint() {
  if (++checkpoints == 1 && fails == "hook" && roam::rank() == roam::ranks() - 1) throw 7;
}

void root_of_failures(const std::string& folder) {
  try {
    roam::checkpoint(folder);
    std::puts("it did not fail");
  } catch (const roam::Error& error) {
    std::printf("%s\n", error.what());
  }
  roam::checkpoint(folder);
  std::puts("it went on");
}

void root(const std::string& folder) {
  if (roam::checkpoint(folder) == roam::Resumed::no) return;
  roam::spawn({.rank = roam::ranks() - 1}, [] {
    std::printf("restarted on %d ranks, %zu blocks\n", roam::ranks(), taken);
  }).join();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argv[1];
  if (argc > 2) {
    fails = argv[2];
    roam::job_data("some data", data);
    roam::on_checkpoint(begin_checkpoint);
    return roam::run(argc, argv, [folder] { root_of_failures(folder); });
  }
  roam::on_restart(take_all);
  return roam::run(argc, argv, [folder] { root(folder); });
}
