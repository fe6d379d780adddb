// Makes checkpoints for tests of programs that look at them: example DIR COUNT
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "runtime/checkpoint/test_job.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  roam::runtime::TestJob job;
  bool good = true;
  job.while_suspended([&] {
    std::string why;
    for (int i = 0; good && i < std::atoi(argv[2]); ++i) good = job.make_checkpoint(&why);
    if (!good) std::fprintf(stderr, "%s\n", why.c_str());
  });
  if (good) {
    std::filesystem::copy(job.dir(), argv[1], std::filesystem::copy_options::recursive);
  }
  return good ? 0 : 1;
}
