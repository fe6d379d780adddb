// Seeded stress: threads on all ranks spawn, move at random, allocate, free across threads, join,
// sleep and throw, and verify every byte. A seed gives each thread the same choices in every run;
// what they meet differs.
//
// The counts are each rank's own, so a job that went on from a checkpoint does not compare them.
//
//   stress [--seed=N] [--workers=N a rank] [--steps=N] [--rounds=N] [--no_channels] [--no_sharing]
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "roam/roam.h"
#include "tests/stress/counts.h"
#include "tests/stress/worker.h"
#include "tests/support/check.h"
#include "tests/support/random.h"

namespace roam_test {
namespace {

struct Options {
  std::uint64_t seed = 1;
  int workers = 20;
  int rounds = 4;
  WorkerOptions worker;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const std::size_t equals = arg.find('=');
    const std::string key = arg.substr(0, equals);
    const std::uint64_t value =
        equals == std::string::npos ? 0 : std::strtoull(arg.c_str() + equals + 1, nullptr, 0);
    if (key == "--seed") {
      options.seed = value;
    } else if (key == "--workers") {
      options.workers = static_cast<int>(value);
    } else if (key == "--steps") {
      options.worker.steps = static_cast<int>(value);
    } else if (key == "--rounds") {
      options.rounds = static_cast<int>(value);
    } else if (key == "--no_channels") {
      options.worker.channels = false;
    } else if (key == "--no_sharing") {
      options.worker.sharing = false;
    } else {
      fprintf(stderr, "stress: unknown argument %s\n", arg.c_str());
      return false;
    }
  }
  return true;
}

bool restarted = false;

void run_round(const Options& options, int count, std::uint64_t seed) {
  std::vector<std::pair<roam::Thread, std::uint64_t>> workers;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t worker_seed = mix(seed + static_cast<std::uint64_t>(i));
    workers.emplace_back(spawn_worker(options.worker, worker_seed, i % roam::ranks()), worker_seed);
  }
  for (auto [thread, worker_seed] : workers) join_worker(thread, worker_seed);
}

// The counts of all ranks: a thread that visits each.
Counts sum_of_counts() {
  Counts sum;
  const int home = roam::rank();
  for (int r = 0; r < roam::ranks(); ++r) {
    roam::this_thread::migrate(r);
    drain_channel();
    sum.add(counts());
  }
  roam::this_thread::migrate(home);
  return sum;
}

int stress(const Options& options) {
  printf("stress: --seed=%llu --workers=%d --steps=%d --rounds=%d on %d ranks of %d nodes\n",
         static_cast<unsigned long long>(options.seed), options.workers, options.worker.steps,
         options.rounds, roam::ranks(), roam::node_of(roam::ranks() - 1) + 1);
  fflush(stdout);
  const int workers = options.workers * roam::ranks();  // of a restart on other ranks too
  for (int round = 0; round < options.rounds; ++round) {
    run_round(options, workers, mix(options.seed) + static_cast<std::uint64_t>(round) * 1'000'003);
    printf("round %d of %d\n", round + 1, options.rounds);
    fflush(stdout);
  }
  printf("stress: %d workers have ended as their seeds say\n", options.rounds * workers);
  fflush(stdout);
  if (restarted) return 0;
  const Counts sum = sum_of_counts();
  sum.print();
  fflush(stdout);
  expect_eq(sum.ended, sum.started, "threads that ended");
  expect_eq(sum.joined, sum.started, "threads that were joined");
  expect_eq(sum.freed, sum.allocated, "blocks that were freed");
  expect_eq(sum.received, sum.sent, "messages that were received");
  return 0;
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
  roam_test::Options options;
  if (!roam_test::parse(argc, argv, options)) return 2;
  roam::on_restart([] { roam_test::restarted = true; });
  return roam::run(argc, argv, [options] { return roam_test::stress(options); });
}
