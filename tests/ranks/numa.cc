// Where the pages lie that threads touch, on a machine with NUMA nodes: on the node of the rank
// that runs them. One line a rank; on a machine with one node it holds of itself.
#include <alloca.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"

namespace {

using roam_test::expect;
using roam_test::on_rank;

constexpr std::size_t kPage = 4096;
constexpr std::size_t kBytes = 8 << 20;

int node_here() {
  unsigned core = 0, node = 0;
  expect(getcpu(&core, &node) == 0, "getcpu");
  return static_cast<int>(node);
}

// Keeps the process on the NUMA node that it is on: where nobody bound it, it could go elsewhere in
// the midst of the test.
bool stay_on_node() {
  cpu_set_t allowed, cores;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
  CPU_ZERO(&cores);
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    const std::string node = "/sys/devices/system/cpu/cpu" + std::to_string(core) + "/node" +
                             std::to_string(node_here());
    if (CPU_ISSET(core, &allowed) && access(node.c_str(), F_OK) == 0) CPU_SET(core, &cores);
  }
  return CPU_COUNT(&cores) == 0 || sched_setaffinity(0, sizeof cores, &cores) == 0;
}

// How many of the pages that hold `bytes` from `begin` lie on `node`; in `all` those that exist.
std::size_t pages_on(int node, const void* begin, std::size_t bytes, std::size_t* all) {
  const auto first = reinterpret_cast<std::uintptr_t>(begin) & ~(kPage - 1);
  std::vector<void*> pages;
  for (std::uintptr_t a = first; a < reinterpret_cast<std::uintptr_t>(begin) + bytes; a += kPage)
    pages.push_back(reinterpret_cast<void*>(a));
  std::vector<int> nodes(pages.size());
  const long result =
      syscall(SYS_move_pages, 0, pages.size(), pages.data(), nullptr, nodes.data(), 0);
  expect(result == 0, std::string("move_pages: ") + std::strerror(errno));
  std::size_t there = 0;
  *all = 0;
  for (const int at : nodes) {
    *all += at >= 0;
    there += at == node;
  }
  return there;
}

// Says how many there are; `what` is named in the line. `rest`: so many may be elsewhere.
bool is_here(const char* what, const void* begin, std::size_t bytes, std::size_t rest = 0) {
  std::size_t all = 0;
  const std::size_t here = pages_on(node_here(), begin, bytes, &all);
  std::printf("rank %d on NUMA node %d: %s: %zu of %zu pages there\n", roam::rank(), node_here(),
              what, here, all);
  expect(all * kPage >= bytes - kPage, std::string(what) + " exists");
  return here + rest >= all;
}

void expect_here(const char* what, const void* begin, std::size_t bytes) {
  expect(is_here(what, begin, bytes), std::string(what) + " is where it was touched");
}

constexpr std::size_t kStack = 128 << 10;

[[gnu::noinline]] bool stack_is_here(const char* what, std::size_t rest) {
  void* room = alloca(kStack);
  std::memset(room, 1, kStack);
  return is_here(what, room, kStack, rest);
}

void touch_here() {
  std::vector<void*> small(1000);
  for (void*& block : small) std::memset(block = std::malloc(kPage), 1, kPage);
  for (void* block : small) {
    std::size_t all = 0;
    expect(pages_on(node_here(), block, kPage, &all) == all, "a small block is here");
    std::free(block);
  }
  void* large = std::malloc(kBytes);
  std::memset(large, 1, kBytes);
  expect_here("heap", large, kBytes);
  std::free(large);
  stack_is_here("stack that was used before", 0);
}

// On a stack that no thread had before, but for its top, which rests with the slot.
void touch_stack(int rank) {
  const roam::SpawnOptions options{.stack_bytes = std::size_t{1} << 20, .rank = rank};
  roam::spawn(options, [] { expect(stack_is_here("new stack", 4), "a new stack is here"); }).join();
}

// What came along lies where it was touched; what is touched here first lies here.
void come_along() {
  auto* large = static_cast<char*>(std::malloc(kBytes));
  std::memset(large, 1, kBytes);
  const int before = node_here();
  roam::this_thread::migrate(roam_test::next_rank());
  for (std::size_t i = 0; i < kBytes; i += kPage) expect(large[i] == 1, "the heap came along");
  std::size_t all = 0;
  const std::size_t here = pages_on(node_here(), large, kBytes, &all);
  std::printf("rank %d on NUMA node %d: heap from node %d: %zu of %zu pages there\n", roam::rank(),
              node_here(), before, here, all);
  void* later = std::malloc(2 * kBytes);
  std::memset(later, 1, 2 * kBytes);
  expect_here("heap after a move", later, 2 * kBytes);
  std::free(later);
  std::free(large);
}

// Containers may forbid the question.
bool may_ask() {
  int here = 0, node = 0;
  void* page = &here;
  return syscall(SYS_move_pages, 0, 1, &page, nullptr, &node, 0) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (!may_ask()) {
    std::printf("SKIPPED: move_pages: %s\n", std::strerror(errno));
    return 0;
  }
  if (!stay_on_node()) return 1;
  return roam::run(argc, argv, [] {
    for (int r = 0; r < roam::ranks(); ++r) touch_stack(r);
    for (int round = 0; round < 2; ++round)
      for (int r = 0; r < roam::ranks(); ++r) on_rank(r, touch_here);
    for (int r = 0; r < roam::ranks(); ++r) on_rank(r, come_along);
  });
}
