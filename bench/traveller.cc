#include "bench/traveller.h"

#include <memory>
#include <vector>

#include "bench/contest.h"

namespace bench {
namespace {

void there_and_back() {
  roam::this_thread::migrate(1);
  roam::this_thread::migrate(0);
}

class Load {
 public:
  Load(std::size_t bytes, bool fragmented) : whole_(fragmented ? 0 : bytes, 'x') {
    if (!fragmented) return;
    for (std::size_t i = 0; i < 2 * bytes / kBlockBytes; ++i)
      blocks_.push_back(std::make_unique<char[]>(kBlockBytes));
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (i / kRun % 2 != 0) blocks_[i].reset();
    }
    std::erase(blocks_, nullptr);
    blocks_.shrink_to_fit();
  }

 private:
  static constexpr std::size_t kBlockBytes = 256, kRun = 64;
  std::vector<char> whole_;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

}  // namespace

Traveller::Traveller(std::size_t heap_bytes, bool fragmented)
    : thread_(roam::spawn([this, heap_bytes, fragmented] {
        const Load load(heap_bytes, fragmented);
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
