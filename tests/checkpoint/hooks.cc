// A hook of a restart that takes all addresses there are for blocks, on the last rank, after those
// of the other ranks have ended: it asks them for what they have.
//
//   hooks FOLDER
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

void root(const std::string& folder) {
  if (roam::checkpoint(folder) == roam::Resumed::no) return;
  roam::spawn({.rank = roam::ranks() - 1}, [] {
    std::printf("restarted on %d ranks, %zu blocks\n", roam::ranks(), taken);
  }).join();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argv[1];
  roam::on_restart(take_all);
  return roam::run(argc, argv, [folder] { root(folder); });
}
