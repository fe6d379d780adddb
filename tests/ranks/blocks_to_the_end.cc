// Kernel threads of the program make and free blocks while jobs begin, run, end and are over: they
// get them whenever there is memory, and every job ends.
//
//   blocks_to_the_end few|many|crowd   few: there is always memory; many: more than the rank began
//                                      with; crowd: few each, from many at once without a pause
#include <mpi.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "roam/isomalloc.h"
#include "roam/roam.h"
#include "tests/support/check.h"

namespace {

using roam_test::expect;
using roam_test::expect_eq;

std::atomic<bool> begin = false, end = false;

void use_blocks(std::size_t count, std::size_t bytes, bool always) {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < count; ++i) {
    errno = 0;
    void* block = iso_malloc(bytes);
    if (block == nullptr) {
      expect_eq(errno, ENOMEM, "errno");
      expect(!always, "a block when there is memory");
      break;
    }
    *static_cast<std::size_t*>(block) = i;
    blocks.push_back(block);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    expect_eq(*static_cast<std::size_t*>(blocks[i]), i, "what the block holds");
    iso_free(blocks[i]);
  }
}

enum class Mode { kFew, kMany, kCrowd };

void work(Mode mode) {
  while (!begin) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (unsigned round = 0; !end; ++round) {
    mode == Mode::kMany ? use_blocks(40, 1 << 20, false) : use_blocks(5, 10'000, true);
    if (mode != Mode::kCrowd)
      std::this_thread::sleep_for(std::chrono::microseconds(round % 7 * 20));
  }
}

void begin_everywhere() {
  std::vector<roam::Thread> threads;
  for (int r = 0; r < roam::ranks(); ++r)
    threads.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [] { begin = true; }));
  for (roam::Thread thread : threads) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc < 2 ? "few" : argv[1];
  const Mode mode = name == "few" ? Mode::kFew : name == "many" ? Mode::kMany : Mode::kCrowd;
  MPI_Init(&argc, &argv);
  std::vector<std::thread> outside;
  for (int i = 0; i < (mode == Mode::kCrowd ? 12 : 1); ++i) {
    outside.emplace_back([mode] {
      try {
        work(mode);
      } catch (const roam_test::Failure& failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        std::_Exit(1);
      }
    });
  }
  for (int run = 0; run < 40; ++run) roam::run(argc, argv, begin_everywhere);
  end = true;
  for (std::thread& thread : outside) thread.join();
  MPI_Finalize();
  return 0;
}
