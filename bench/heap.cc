// Does a program's malloc run slower inside a thread than outside?
#include <algorithm>
#include <cstdlib>

#include "bench/contest.h"
#include "roam/roam.h"

// glibc's own, under the names that no capture replaces.
extern "C" void* __libc_malloc(std::size_t bytes);
extern "C" void __libc_free(void* block);

namespace {

constexpr const char* kQuestion =
    "What does a pair of malloc and free cost inside a thread, beside glibc's own? And the same "
    "calls with\n"
    "a SystemHeap alive, which reach glibc through the capture? (ns a pair)";

// The compiler must not see that nothing is done with the block.
inline void use(void*& block) { asm volatile("" : "+r"(block)::"memory"); }

template <class Pair>
double time_pairs(Pair pair) {
  constexpr std::size_t kPairs = 10'000;
  for (std::size_t i = 0; i < kPairs / 20; ++i) pair();
  const std::int64_t begin_ns = bench::now_ns();
  for (std::size_t i = 0; i < kPairs; ++i) pair();
  return static_cast<double>(bench::now_ns() - begin_ns) / kPairs;
}

void malloc_free(std::size_t bytes) {
  void* block = std::malloc(bytes);
  use(block);
  std::free(block);
}

void measure(const bench::Options& options, std::size_t bytes) {
  bench::Contest contest(options.quick);
  const auto inside = contest.add([=] { return time_pairs([=] { malloc_free(bytes); }); });
  const auto captured = contest.add([=] {
    const roam::SystemHeap process;
    return time_pairs([=] { malloc_free(bytes); });
  });
  const auto floor = contest.add([=] {
    return time_pairs([=] {
      void* block = __libc_malloc(bytes);
      use(block);
      __libc_free(block);
    });
  });
  contest.run(1.5);
  contest.row("malloc/" + std::to_string(bytes), inside, floor);
  contest.row("system_malloc/" + std::to_string(bytes), captured, floor);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, "");
  return roam::run(argc, argv, [&options] {
    for (const std::size_t bytes : {16, 256, 4 << 10, 64 << 10, 1 << 20}) measure(options, bytes);
  });
}
