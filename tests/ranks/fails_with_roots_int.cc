// A program whose main returns run()'s value, as most do: the job's status is root's.
#include <cstdio>

#include "roam/roam.h"

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    roam::this_thread::migrate(roam::ranks() - 1);
    printf("root returns 7 on rank %d\n", roam::rank());
    fflush(stdout);
    return 7;
  });
}
