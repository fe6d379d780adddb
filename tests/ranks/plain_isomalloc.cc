// Blocks in plain code of a program of one process: before run(), over it and after it, and with no
// run() at all.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"

int main(int argc, char** argv) {
  using namespace roam_test;
  try {
    void* const before = iso_malloc(50'000);
    expect(before != nullptr && iso_in_range(before) == 1, "iso_malloc before run gives a block");
    expect_eq(iso_length(before), std::size_t{50'000}, "length");
    verify_zero(before, 50'000, "new block");
    Pattern(1).fill(before, 50'000);
    void* const gone = iso_malloc(1000);
    expect(gone != before, "blocks differ");
    iso_free(gone);
    void* plain = std::malloc(1000);
    expect_eq(iso_in_range(plain), 0, "iso_in_range of malloc's block in plain code");
    std::free(plain);
    if (argc > 1 && std::string_view(argv[1]) == "norun") {
      Pattern(1).verify(before, 50'000, "block");
      iso_free(before);
      return 0;
    }
    void* inside = nullptr;
    const int code = roam::run(argc, argv, [&] {
      Pattern(1).verify(before, 50'000, "block from before run, in a thread");
      inside = iso_malloc(60'000);
      Pattern(2).fill(inside, 60'000);
      std::string text(100'000, 't');
      roam::this_thread::migrate(0);
      expect(inside != before && text == std::string(100'000, 't'), "a thread works as ever");
      return 4;
    });
    expect_eq(code, 4, "run()");
    Pattern(1).verify(before, 50'000, "block from before run, after it");
    Pattern(2).verify(inside, 60'000, "block from inside run, after it");
    iso_free(before);
    iso_free(inside);
  } catch (const std::exception& error) {
    fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
