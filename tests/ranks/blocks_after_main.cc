// Blocks of statics: freed by their destructors, after main, when the runtime has ended.
#include <cstdio>
#include <cstdlib>

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

}  // namespace

int main(int argc, char** argv) {
  const int code = roam::run(argc, argv, [] {});
  owner.block = iso_malloc(100'000);
  roam_test::expect(iso_in_range(owner.block) == 1, "a block after run");
  return code;
}
