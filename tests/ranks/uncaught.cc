// An exception that nobody catches ends the whole job: uncaught root|thread|int|error RANK.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "roam/roam.h"

int main(int argc, char** argv) {
  if (argc != 3) return 0;
  const char where = argv[1][0];
  const int rank = std::atoi(argv[2]);
  roam::run(argc, argv, [where, rank] {
    if (where == 'r') {  // root
      roam::this_thread::migrate(rank);
      throw std::runtime_error("nobody catches this (17)");
    }
    roam::spawn(roam::SpawnOptions{.name = "thrower", .rank = rank}, [where] {
      if (where == 'i') throw 5;
      if (where == 'e') roam::this_thread::migrate(99);
      throw std::runtime_error("nobody catches this (17)");
    });
    // Never joined, which is known when root has ended.
  });
  printf("rank %d: run returned\n", roam::rank());
  return 0;
}
