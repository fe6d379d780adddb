// Limits of the process (setrlimit) that leave no room: limits as|data before the run, or, on one
// rank, later_as|later_data in a thread. (Where UCX has messages to carry, it ends the process.)
#include <sys/resource.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"

namespace roam_test {
namespace {

void limit(std::string_view what, rlim_t bytes) {
  const auto resource = what.ends_with("as") ? RLIMIT_AS : RLIMIT_DATA;
  rlimit now{};
  getrlimit(resource, &now);
  now.rlim_cur = bytes;
  if (setrlimit(resource, &now) != 0) fail("setrlimit");
}

// There is no more room for the process; the arena has what it has, and more is refused by NULL or
// an error.
void go_on_with(const std::string& what) {
  std::vector<unsigned char> mine(1 << 20);
  Pattern(1).fill(mine.data(), mine.size());
  limit(what, 1 << 20);
  std::vector<void*> blocks;
  blocks.reserve(1000);
  for (int i = 0; i < 200; ++i) {
    errno = 0;
    void* block = std::malloc(4 << 20);
    if (block == nullptr) {
      expect_eq(errno, ENOMEM, "errno");
      break;
    }
    Pattern(static_cast<std::size_t>(i)).fill(block, 4 << 20);
    blocks.push_back(block);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    Pattern(i).verify(blocks[i], 4 << 20, "a block");
    std::free(blocks[i]);
  }
  for (int i = 0; i < 100; ++i) {
    try {
      roam::spawn([] { std::vector<int> some(1000); }).join();
    } catch (const roam::Error& error) {
      expect_contains(error.what(), {"memory"});
    } catch (const std::bad_alloc&) {
    }
  }
  Pattern(1).verify(mine.data(), mine.size(), "what was there");
  limit(what, RLIM_INFINITY);
  roam::spawn([] { std::vector<int> some(1000); }).join();
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "as";
  const bool later = what.starts_with("later");
  if (!later) roam_test::limit(what, rlim_t{2} << 30);
  return roam::run(argc, argv, [what, later] {
    if (!later) return;
    roam_test::go_on_with(what);
  });
}
