// Blocks of statics: freed by their destructors, after main, when the runtime has ended. With an
// argument, in a small arena: a rank that has no more, when nobody can be asked, says so.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "roam/isomalloc.h"
#include "roam/roam.h"
#include "tests/support/check.h"

namespace {

struct Owner {
  ~Owner() {
    iso_free(block);
    for (int i = 0; i < 400; ++i) {
      void* other = iso_malloc(10'000);
      if (other == nullptr || iso_length(other) != 10'000) {
        std::fputs("a block after main is not as it should be\n", stderr);
        std::_Exit(1);
      }
      iso_free(other);
    }
  }
  void* block = nullptr;
};
Owner owner;

// All that the rank has; it is good again afterwards.
void use_all() {
  for (int round = 0; round < 2; ++round) {
    std::vector<void*> blocks;
    void* block;
    errno = 0;
    while ((block = iso_malloc(1 << 20)) != nullptr) blocks.push_back(block);
    roam_test::expect_eq(errno, ENOMEM, "errno");
    roam_test::expect(blocks.size() >= 10, "10 MiB of the arena's 512 MiB are this rank's");
    for (void* each : blocks) iso_free(each);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int code = roam::run(argc, argv, [] {});
  if (argc > 1) use_all();
  owner.block = iso_malloc(100'000);
  roam_test::expect(iso_in_range(owner.block) == 1, "a block after run");
  return code;
}
