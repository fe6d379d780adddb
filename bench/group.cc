// Do many threads that move at once move cheaper than one alone?
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "bench/contest.h"
#include "bench/traveller.h"
#include "roam/roam.h"

namespace {

constexpr const char* kQuestion =
    "What does a hop take of a thread, when 1,000 threads of a rank go to another at once, beside "
    "one that\n"
    "goes there and back alone? On 2 ranks, of one node or of two. (ns a hop)";
const std::initializer_list<bench::Option> kOptions = {
    {"threads", "how many go at once (1000)"},
};

// Where the threads wait on this rank until all go on. In the process's memory: one on each rank.
class Gate {
 public:
  void wait() { now_->wait(); }
  void open() {
    const roam::SystemHeap process;
    before_ = std::move(now_);  // until who waits there has left it
    now_ = std::make_unique<roam::Latch>(1);
    before_->count_down();
  }

 private:
  std::unique_ptr<roam::Latch> now_ = std::make_unique<roam::Latch>(1);
  std::unique_ptr<roam::Latch> before_;
};

Gate gate;
std::size_t arrived = 0;
bool ends = false;

void await_all(std::size_t count) {
  while (arrived < count) roam::this_thread::yield();
  arrived = 0;
}

void travel() {
  for (;;) {
    gate.wait();
    if (ends) return;
    roam::this_thread::migrate(1 - roam::rank());
    ++arrived;
  }
}

double round_trips(std::size_t count, std::size_t rounds) {
  const roam::Thread partner = roam::spawn({.name = "partner", .rank = 1}, [=] {
    for (std::size_t i = 0; i < rounds; ++i) {  // sends all back as soon as they are there
      await_all(count);
      gate.open();
    }
  });
  const std::int64_t begin_ns = bench::now_ns();
  for (std::size_t i = 0; i < rounds; ++i) {
    gate.open();
    await_all(count);
  }
  const double hops = 2.0 * static_cast<double>(count * rounds);
  const double hop_ns = static_cast<double>(bench::now_ns() - begin_ns) / hops;
  partner.join();
  return hop_ns;
}

int measure(const bench::Options& options) {
  if (roam::ranks() != 2) {
    std::fprintf(stderr, "this benchmark runs on 2 ranks\n");
    return 2;
  }
  const std::size_t count = options.number("threads", 1000);
  std::vector<roam::Thread> threads(count);
  for (roam::Thread& t : threads) t = roam::spawn(travel);
  roam::this_thread::yield();  // all wait
  bench::Traveller single(0);

  bench::Contest contest(options.quick);
  const auto alone = contest.add([&] { return single.travel(500); });
  const auto together = contest.add([=] { return round_trips(count, 4); });
  contest.run(3);
  contest.row(
      "hop_group/" + std::to_string(count) + "/nodes=" + std::to_string(roam::node_of(1) + 1),
      together, alone);
  ends = true;
  gate.open();
  for (const roam::Thread t : threads) t.join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, kOptions);
  return roam::run(argc, argv, [&options] { return measure(options); });
}
