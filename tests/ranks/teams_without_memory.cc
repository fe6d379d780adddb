// A rank whose process has no memory to know a team: spawn_team says so, and nobody waits for its
// maker. The next team is made.
#include <cstdio>
#include <cstdlib>
#include <new>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"

namespace {

// What a rank knows of its members takes 16 bytes each: a length that nobody else asks for.
constexpr int kMembers = 202;
constexpr std::size_t kDirections = kMembers / 2 * 16;
bool armed = false;  // one on each rank

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (armed && bytes == kDirections) {
    armed = false;
    throw std::bad_alloc();
  }
  void* block = std::malloc(bytes != 0 ? bytes : 1);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    using roam_test::on_rank;
    for (int rank = 0; rank < 2; ++rank) {
      on_rank(rank, [] { armed = true; });
      (void)roam_test::expect_throws<std::bad_alloc>(
          [] { (void)roam::spawn_team(kMembers, [] { std::abort(); }); }, "spawn_team");
      on_rank(rank, [] { roam_test::expect(!armed, "memory was refused"); });
      roam::spawn_team(kMembers, [] { roam::Team::current().barrier(); }).join();
    }
    return 0;
  });
}
