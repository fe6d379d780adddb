// Is memory slower to read inside a thread than outside?
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "bench/contest.h"
#include "roam/roam.h"

// glibc's own, under the names that no capture replaces.
extern "C" void* __libc_malloc(std::size_t bytes);
extern "C" void __libc_free(void* block);

namespace {

constexpr const char* kQuestion =
    "What does a read at random from a large block cost that a thread has from malloc, beside one "
    "from\n"
    "glibc's malloc? Where a read goes depends on the one before: what a miss of cache and TLB "
    "takes is not\n"
    "hidden. With several ranks the heap lies in memory that they share. (ns a read)";
const std::initializer_list<bench::Option> kOptions = {
    {"bytes", "size of the block (268435456)"},
};

constexpr std::size_t kReads = 20'000;

class Reader {
 public:
  Reader(void* block, std::size_t bytes)
      : words_(static_cast<std::uint32_t*>(block)), count_(bytes / sizeof(std::uint32_t)) {}
  // Writes the part of words [begin, end).
  void fill(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      words_[i] = static_cast<std::uint32_t>(i * 2654435761);
  }
  double slice() {
    walk(kReads / 20);
    const std::int64_t begin_ns = bench::now_ns();
    walk(kReads);
    return static_cast<double>(bench::now_ns() - begin_ns) / kReads;
  }

 private:
  void walk(std::size_t reads) {
    for (std::size_t i = 0; i < reads; ++i) {
      // A linear congruential generator (Knuth's MMIX), whose high half, times the count, chooses.
      state_ = state_ * 6364136223846793005 + 1442695040888963407 +
               words_[(state_ >> 32) * count_ >> 32];
    }
    asm volatile("" ::"r"(state_));
  }

  std::uint32_t* words_;
  std::size_t count_;
  std::uint64_t state_ = 1;
};

void measure(const bench::Options& options) {
  const std::size_t bytes = options.number("bytes", 256 << 20);
  void* ours = std::malloc(bytes);
  void* plain = __libc_malloc(bytes);
  if (ours == nullptr || plain == nullptr) {
    std::perror("malloc");
    std::exit(1);
  }
  Reader inside(ours, bytes);
  Reader outside(plain, bytes);
  // In turn, a MiB each: of two blocks that are touched one after the other, the first is read up
  // to a fifth more slowly, whoever made it, since it gets what physical memory is lying about.
  const std::size_t words = bytes / sizeof(std::uint32_t);
  constexpr std::size_t kPiece = (1 << 20) / sizeof(std::uint32_t);
  for (std::size_t at = 0; at < words; at += kPiece) {
    inside.fill(at, std::min(at + kPiece, words));
    outside.fill(at, std::min(at + kPiece, words));
  }

  bench::Contest contest(options.quick);
  const auto measured = contest.add([&] { return inside.slice(); });
  const auto floor = contest.add([&] { return outside.slice(); });
  contest.run(4);
  contest.row("access/" + std::to_string(bytes) + "/ranks=" + std::to_string(roam::ranks()),
              measured, floor);
  std::free(ours);
  __libc_free(plain);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, kOptions);
  return roam::run(argc, argv, [&options] { measure(options); });
}
