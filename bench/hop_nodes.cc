// What does a hop between nodes cost beside MPI, which has to carry the same bytes?
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <vector>

#include "bench/contest.h"
#include "bench/crowd.h"
#include "bench/ping_pong.h"
#include "bench/traveller.h"
#include "roam/roam.h"

namespace {

constexpr const char* kQuestion =
    "What does a hop between two nodes cost, beside an MPI message of the same bytes? There and "
    "back, where\n"
    "memory of the last visit is kept (ROAM_KEEP=0: is not); and the first visit of a new thread, "
    "one way.\n"
    "Run on 2 ranks with ROAM_NODE_RANKS=1. (ns a hop)";
const std::initializer_list<bench::Option> kOptions = {
    {"heap", "of the thread (0)"},
    {"fragmented", "1: the heap is of blocks of 256 B, between which as many were freed"},
    {"bytes", "what a hop of it sends, for the floor (as --heap)"},
    {"crowd", "threads that wait on rank 0 meanwhile (0)"},
    {"first", "0: leave out the first visits"},
    {"count", "only hop so often, so that ROAM_VERBOSE=1 tells the bytes of a hop"},
};

// First visits end on rank 1, so that the memory is not there for the next one; their times stay
// there, in the process, until they are fetched.
double first_visits_ns = 0;

void visit_once(std::size_t heap_bytes) {
  const roam::Thread visitor = roam::spawn([heap_bytes] {
    const std::vector<char> load(heap_bytes, 'x');
    const std::int64_t begin_ns = bench::now_ns();
    roam::this_thread::migrate(1);
    first_visits_ns += static_cast<double>(bench::now_ns() - begin_ns);
  });
  visitor.join();
}

double fetch_first_visits() {
  double sum_ns = 0;
  const roam::Thread messenger = roam::spawn([&sum_ns] {
    roam::this_thread::migrate(1);
    const double there_ns = first_visits_ns;
    first_visits_ns = 0;
    roam::this_thread::migrate(0);
    sum_ns = there_ns;
  });
  messenger.join();
  return sum_ns;
}

double first_visits(std::size_t heap_bytes, std::size_t visits) {
  for (std::size_t i = 0; i < visits; ++i) visit_once(heap_bytes);
  return fetch_first_visits() / visits;
}

void measure(const bench::Options& options) {
  const std::size_t heap_bytes = options.number("heap", 0);
  const std::size_t bytes = std::max<std::size_t>(options.number("bytes", heap_bytes), 1);
  const bool fragmented = options.number("fragmented", 0) != 0;
  const bool first = options.number("first", 1) != 0;
  // About 1 ms of messages a slice, and at least one there and back.
  const std::size_t most = options.quick ? 50 : 250;
  const std::size_t rounds = std::clamp<std::size_t>((2 << 20) / (bytes + 8192), 1, most);

  const bench::Crowd crowd(options.number("crowd", 0));
  bench::Traveller traveller(heap_bytes, fragmented);
  bench::Contest contest(options.quick);
  const auto hop = contest.add([&] { return traveller.travel(2 * rounds); });
  const auto warm =
      contest.add([&] { return bench::ping_pong(bytes, rounds, bench::Memory::kWarm); });
  const auto fresh =
      contest.add([&] { return bench::ping_pong(bytes, rounds, bench::Memory::kFresh); });
  std::size_t visit = hop;
  if (first) {
    const std::size_t visits = std::min<std::size_t>(rounds, 50);
    visit = contest.add([&] { return first_visits(heap_bytes, visits); });
  }
  contest.run(bytes > 16 << 20 ? 12 : 5);

  const std::string name = std::to_string(heap_bytes);
  contest.row("hop_nodes/" + name + "/over_warm", hop, warm, bytes);
  contest.row("hop_nodes/" + name + "/over_fresh", hop, fresh, bytes);
  if (first) contest.row("hop_nodes_first/" + name, visit, fresh, bytes);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, kOptions);
  MPI_Init(&argc, &argv);
  const int status = roam::run(argc, argv, [&options] {
    if (roam::ranks() != 2 || roam::node_of(1) == 0) {
      std::fprintf(stderr, "this benchmark runs on 2 ranks with ROAM_NODE_RANKS=1\n");
      return 2;
    }
    if (const std::size_t hops = options.number("count", 0); hops != 0) {
      bench::Traveller(options.number("heap", 0), options.number("fragmented", 0) != 0)
          .travel(hops);
    } else {
      measure(options);
    }
    return 0;
  });
  MPI_Finalize();
  return status;
}
