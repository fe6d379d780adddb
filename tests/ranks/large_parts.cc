// A part of more than 4 GiB passes through a collective whole. The input is touched at three
// places.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <span>

#include "roam/roam.h"

namespace {

constexpr std::size_t kBytes = (std::size_t{4} << 30) + 4096;

std::span<char> untouched() {
  void* at = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) std::abort();
  return {static_cast<char*>(at), kBytes};
}

bool right(std::span<const char> part) {
  return part[0] == 1 && part[kBytes / 2] == 2 && part[kBytes - 1] == 3;
}

}  // namespace

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    roam::spawn_team(1, [] {
      const roam::Team team = roam::Team::current();
      const std::span<char> in = untouched(), out = untouched();
      in[0] = 1;
      in[kBytes / 2] = 2;
      in[kBytes - 1] = 3;
      team.scatter(0, in, out);
      if (right(out)) std::puts("all parts of more than 4 GiB are right");
    }).join();
  });
}
