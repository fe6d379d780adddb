// A thread ends the job with exit(): exits STATUS RANK. Others live meanwhile.
#include <cstdio>
#include <cstdlib>

#include "roam/roam.h"

int main(int argc, char** argv) {
  if (argc != 3) return 1;
  const int status = std::atoi(argv[1]), rank = std::atoi(argv[2]);
  roam::run(argc, argv, [status, rank] {
    roam::Latch never(1);
    roam::spawn(roam::SpawnOptions{.name = "leaver", .rank = rank}, [status] {
      std::atexit([] { std::puts("the program's own handler ran"); });
      std::exit(status);
    });
    never.wait();
  });
  std::puts("run returned");
  return 0;
}
