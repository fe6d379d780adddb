// A rank that maps and unmaps pages again and again does not become larger: what lies below MPI may
// note each of them (findings/ucx-notes-each-munmap.sh).
#include <sys/mman.h>

#include <cstdio>

#include "roam/roam.h"
#include "tests/support/check.h"

namespace {

constexpr int kTimes = 200'000;
constexpr long kMostPages = 16 << 8;  // 16 MiB; with 144 bytes each it would be 27

long resident_pages() {
  long all = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  roam_test::expect(file != nullptr && std::fscanf(file, "%ld %ld", &all, &resident) == 2,
                    "statm can be read");
  std::fclose(file);
  return resident;
}

int map_and_unmap() {
  const long before = resident_pages();
  for (int i = 0; i < kTimes; ++i) {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    roam_test::expect(page != MAP_FAILED && munmap(page, 4096) == 0, "a page is mapped");
  }
  const long more = resident_pages() - before;
  std::printf("rank %d: %ld pages more\n", roam::rank(), more);
  roam_test::expect(more < kMostPages, "what was unmapped needs no memory");
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return roam::run(argc, argv, map_and_unmap); }
