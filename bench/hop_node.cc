// What does a hop inside a node cost, and does the heap matter?
#include <atomic>
#include <initializer_list>
#include <new>

#include "bench/contest.h"
#include "bench/crowd.h"
#include "bench/traveller.h"
#include "roam/roam.h"

namespace {

constexpr const char* kQuestion =
    "What does a hop between two ranks of a node cost, with an empty heap and with 64 MiB, beside "
    "what a\n"
    "cache line takes from one process to the other (half a round trip, both spinning)? Run on 2 "
    "ranks of one\n"
    "node. (ns a hop)";

const std::initializer_list<bench::Option> kOptions = {
    {"crowd", "threads that wait on rank 0 meanwhile (0)"},
};

constexpr std::size_t kRounds = 2'000;
constexpr std::size_t kHops = 500;

// Who may write next: odd, rank 1; even, rank 0. In memory that the ranks of a node share.
using Line = std::atomic<std::uint64_t>;

void answer_line(Line* line, std::size_t rounds) {
  for (std::uint64_t i = 0; i <= rounds; ++i) {
    while (line->load(std::memory_order_acquire) != 2 * i + 1) {
    }
    line->store(2 * i + 2, std::memory_order_release);
  }
}

void ask_line(Line* line, std::uint64_t round) {
  line->store(2 * round + 1, std::memory_order_release);
  while (line->load(std::memory_order_acquire) != 2 * round + 2) {
  }
}

double line_ping_pong(Line* line) {
  line->store(0);
  const roam::Thread partner =
      roam::spawn({.name = "partner", .rank = 1}, [line] { answer_line(line, kRounds); });
  line->store(1, std::memory_order_release);
  while (line->load(std::memory_order_acquire) != 2) roam::this_thread::yield();  // it is there
  const std::int64_t begin_ns = bench::now_ns();
  for (std::uint64_t i = 1; i <= kRounds; ++i) ask_line(line, i);
  const double one_way_ns = static_cast<double>(bench::now_ns() - begin_ns) / (2 * kRounds);
  partner.join();
  return one_way_ns;
}

int measure(const bench::Options& options) {
  if (roam::ranks() != 2 || roam::node_of(1) != 0) {
    std::fprintf(stderr, "this benchmark runs on 2 ranks of one node\n");
    return 2;
  }
  Line* line = new (iso_malloc(sizeof(Line))) Line;
  {
    const bench::Crowd crowd(options.number("crowd", 0));
    bench::Traveller empty(0);
    bench::Traveller laden(64 << 20);
    bench::Contest contest(options.quick);
    const auto floor = contest.add([&] { return line_ping_pong(line); });
    const auto small = contest.add([&] { return empty.travel(kHops); });
    const auto large = contest.add([&] { return laden.travel(kHops); });
    contest.run(8);
    contest.row("hop_in_node/0", small, floor);
    contest.row("hop_in_node/67108864", large, floor);
    contest.row("hop_in_node_heap/67108864", large, small);
  }
  iso_free(line);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, kOptions);
  return roam::run(argc, argv, [&options] { return measure(options); });
}
