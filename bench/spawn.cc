// What does a thread cost that does nothing?
#include "bench/contest.h"
#include "bench/fibers.h"
#include "roam/roam.h"

namespace {

using boost::context::fiber;

constexpr const char* kQuestion =
    "What do spawn and join of a thread that does nothing cost, beside creating, running and "
    "dropping\n"
    "a raw Boost.Context fiber on a recycled stack? One at a time, and 1,000 alive at once. (ns a "
    "thread)";

constexpr std::size_t kSliceThreads = 3'000;

template <class Batch>
double time_batches(std::size_t batch_size, Batch batch) {
  const std::size_t batches = kSliceThreads / batch_size;
  batch();
  const std::int64_t begin_ns = bench::now_ns();
  for (std::size_t i = 0; i < batches; ++i) batch();
  return static_cast<double>(bench::now_ns() - begin_ns) / (batches * batch_size);
}

fiber make_fiber(const bench::Stacks& stacks, std::size_t i) {
  return fiber(std::allocator_arg, stacks.at(i), bench::NoDeallocation{},
               [](fiber&& from) { return std::move(from); });
}

void measure(const bench::Options& options, std::size_t alive) {
  std::vector<roam::Thread> threads(alive);
  std::vector<fiber> fibers(alive);
  const bench::Stacks stacks(alive, true);

  bench::Contest contest(options.quick);
  const auto spawns = contest.add([&] {
    return time_batches(alive, [&] {
      for (roam::Thread& t : threads) t = roam::spawn([] {});
      for (const roam::Thread t : threads) t.join();
    });
  });
  const auto floor = contest.add([&] {
    return time_batches(alive, [&] {
      for (std::size_t i = 0; i < alive; ++i) fibers[i] = make_fiber(stacks, i);
      for (fiber& f : fibers) f = std::move(f).resume();
    });
  });
  contest.run(4);
  contest.row("spawn/" + std::to_string(alive), spawns, floor);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, "");
  return roam::run(argc, argv, [&options] {
    measure(options, 1);
    measure(options, 1000);
  });
}
