#include "bench/traveller.h"

#include <vector>

#include "bench/contest.h"

namespace bench {
namespace {

void there_and_back() {
  roam::this_thread::migrate(1);
  roam::this_thread::migrate(0);
}

}  // namespace

Traveller::Traveller(std::size_t heap_bytes)
    : thread_(roam::spawn([this, heap_bytes] {
        const std::vector<char> load(heap_bytes, 'x');
        while (const auto hops = orders_.recv()) {
          there_and_back();  // wakes the other rank
          const std::size_t pairs = (*hops + 1) / 2;
          const std::int64_t begin_ns = now_ns();
          for (std::size_t i = 0; i < pairs; ++i) there_and_back();
          answers_.send(static_cast<double>(now_ns() - begin_ns) / (2 * pairs));
        }
      })) {}

Traveller::~Traveller() {
  orders_.close();
  thread_.join();
}

double Traveller::travel(std::size_t hops) {
  orders_.send(hops);
  return answers_.recv().value();
}

}  // namespace bench
