// What does a thread cost that does nothing?
#include "bench/contest.h"
#include "bench/fibers.h"
#include "bench/peer.h"
#include "bench/slices.h"
#include "roam/roam.h"

namespace {

using boost::context::fiber;

constexpr const char* kQuestion =
    "What do spawn and join of a thread that does nothing cost, beside creating, running and "
    "dropping\n"
    "a raw Boost.Context fiber on a recycled stack? And beside Boost.Fiber on recycled stacks, in "
    "a "
    "process of\n"
    "its own? One at a time, and 1,000 alive at once. (ns a thread)";

fiber make_fiber(const bench::Stacks& stacks, std::size_t i) {
  return fiber(std::allocator_arg, stacks.at(i), bench::NoDeallocation{},
               [](fiber&& from) { return std::move(from); });
}

void measure(const bench::Options& options, std::size_t alive) {
  std::vector<roam::Thread> threads(alive);
  std::vector<fiber> fibers(alive);
  const bench::Stacks stacks(alive, true);

  const bench::Peer boost_fiber("fiber_peer", "");
  const std::string name = "spawn/" + std::to_string(alive);

  bench::Contest contest(options.quick);
  const auto spawns = contest.add([&] {
    return bench::time_batches(alive, [&] {
      for (roam::Thread& t : threads) t = roam::spawn([] {});
      for (const roam::Thread t : threads) t.join();
    });
  });
  const auto floor = contest.add([&] {
    return bench::time_batches(alive, [&] {
      for (std::size_t i = 0; i < alive; ++i) fibers[i] = make_fiber(stacks, i);
      for (fiber& f : fibers) f = std::move(f).resume();
    });
  });
  const auto fiber_spawns = contest.add([&] { return boost_fiber.ask(name); });
  contest.run(4);
  contest.row(name, spawns, floor);
  contest.row(name + "/over_boost_fiber", spawns, fiber_spawns);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, {});
  return roam::run(argc, argv, [&options] {
    bench::stay_on_this_core();
    measure(options, 1);
    measure(options, 1000);
  });
}
