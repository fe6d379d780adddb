// Says what run() makes of the ROAM_ variables.
#include <cstdio>

#include "roam/roam.h"

int main(int argc, char** argv) {
  try {
    roam::run(argc, argv, [] {
      for (int r = 0; r < roam::ranks(); ++r) {
        roam::spawn(roam::SpawnOptions{.rank = r}, [] {}).join();
      }
      void* block = iso_malloc(1);
      printf("ran on %d ranks of %d nodes, blocks at %p\n", roam::ranks(),
             roam::node_of(roam::ranks() - 1) + 1, block);
      fflush(stdout);
      iso_free(block);
    });
  } catch (const roam::Error& error) {
    fprintf(stderr, "Error(%s): %s\n", roam::to_string(error.code()), error.what());
    return 3;
  }
  return 0;
}
