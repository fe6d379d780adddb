// What does a yield cost, with the queue, the exception state, the heap and the rest of what a
// thread has, beside the switch of two stacks and nothing else?
#include <initializer_list>
#include <optional>

#include "bench/contest.h"
#include "bench/fibers.h"
#include "bench/peer.h"
#include "bench/slices.h"
#include "roam/roam.h"

namespace {

constexpr const char* kQuestion =
    "What does a yield among N threads cost, beside a raw Boost.Context switch round robin over "
    "as\n"
    "many fibers on stacks of the same size, and beside Boost.Fiber's yield in a process of its "
    "own? (ns a switch)";
const std::initializer_list<bench::Option> kOptions = {
    {"threads", "contexts in the round (2)"},
    {"places",
     "2: the threads yield at another place in the code than the one that takes the time, so that "
     "the "
     "processor cannot foretell returns from yield(). The raw switches are at two places always"},
};

// Two functions, never made one (their code differs for that): two places in the code.
[[gnu::noinline]] void yield_times(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) roam::this_thread::yield();
}
[[gnu::noinline]] void yield_times_elsewhere(std::size_t count) {
  asm volatile("# elsewhere");
  for (std::size_t i = 0; i < count; ++i) roam::this_thread::yield();
}

double time_fibers(bench::FiberRing& ring) {
  return bench::time_laps(ring.count(), [&ring](std::size_t laps) {
    for (std::size_t i = 0; i < laps; ++i) ring.lap();
  });
}

void measure(const bench::Options& options, std::size_t count) {
  const bool two_places = options.number("places", 1) == 2;
  bool stop = false;
  std::vector<roam::Thread> others;
  for (std::size_t i = 1; i < count; ++i) {
    others.push_back(roam::spawn([&stop, two_places] {
      while (!stop) (two_places ? yield_times_elsewhere : yield_times)(64);
    }));
  }
  roam::this_thread::yield();  // all have begun
  bench::FiberRing plain(count, false);
  bench::FiberRing coloured(count, true);

  // In a job of several ranks the others are not to be on this core.
  const bool with_peer = roam::ranks() == 1 && !two_places;
  std::optional<bench::Peer> boost_fiber;
  if (with_peer) {
    bench::stay_on_this_core();
    boost_fiber.emplace("fiber_peer", "");
  }

  bench::Contest contest(options.quick);
  const auto yields = contest.add([&] { return bench::time_laps(count, yield_times); });
  const auto floor = contest.add([&] { return time_fibers(coloured); });
  const auto plain_floor = contest.add([&] { return time_fibers(plain); });
  std::size_t fiber_yields = 0;
  if (with_peer) {
    fiber_yields = contest.add([&] { return boost_fiber->ask("yield/" + std::to_string(count)); });
  }
  contest.run(count > 10'000 ? 12 : 5);
  const std::string among = std::to_string(count) + "/ranks=" + std::to_string(roam::ranks());
  contest.row((two_places ? "yield_two_places/" : "yield/") + among, yields, floor);
  contest.row("raw_switch_plain/" + among, plain_floor, floor);
  if (with_peer) contest.row("yield/" + among + "/over_boost_fiber", yields, fiber_yields);

  stop = true;
  for (const roam::Thread t : others) t.join();
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, kOptions);
  return roam::run(argc, argv, [&options] { measure(options, options.number("threads", 2)); });
}
