#include "bench/heap_loops.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "bench/contest.h"
#include "bench/process_memory.h"

namespace bench {
namespace {

constexpr std::uint64_t kSeed = 20261123;
constexpr std::size_t kLiveBlocks = 10'000;
constexpr std::size_t kElements = 10'000;

// Nanoseconds of one of `count` operations; a twentieth of them goes before, uncounted.
template <class Operation>
double time_operations(std::size_t count, Operation operation) {
  for (std::size_t i = 0; i < count / 20; ++i) operation();
  const std::int64_t begin_ns = now_ns();
  for (std::size_t i = 0; i < count; ++i) operation();
  return static_cast<double>(now_ns() - begin_ns) / static_cast<double>(count);
}

void* allocate(std::size_t bytes) {
  void* block = std::malloc(bytes);
  use(block);
  return block;
}

struct Pairs : HeapLoops::Loop {
  explicit Pairs(std::size_t size) : bytes(size) {}
  double slice() override {
    return time_operations(10'000, [this] { std::free(allocate(bytes)); });
  }
  std::size_t bytes;
};

struct Bursts : HeapLoops::Loop {
  static constexpr std::size_t kBlocks = 64;
  explicit Bursts(std::size_t size) : bytes(size) {}
  double slice() override {
    void* blocks[kBlocks];
    const auto burst = [&] {
      for (void*& block : blocks) block = allocate(bytes);
      for (void* block : blocks) std::free(block);
    };
    return time_operations(200, burst) / kBlocks;
  }
  std::size_t bytes;
};

class Churn : public HeapLoops::Loop {
 public:
  explicit Churn(std::size_t most_bytes) : sizes_(kSizes), live_(kLiveBlocks) {
    std::mt19937_64 random(kSeed);
    std::uniform_real_distribution<double> log_size(std::log(16.0), std::log(most_bytes));
    for (std::size_t& size : sizes_) size = static_cast<std::size_t>(std::exp(log_size(random)));
    for (Block& block : live_) put(block, sizes_[random() % kSizes]);
  }
  ~Churn() override {
    for (const Block& block : live_) std::free(block.memory);
  }
  double slice() override {
    return time_operations(30'000, [this] { replace(); });
  }
  void replace() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    // Independent parts of one random number.
    Block& block = live_[(state_ >> 32) * kLiveBlocks >> 32];
    std::free(block.memory);
    put(block, sizes_[state_ % kSizes]);
  }
  void write_all() {
    for (const Block& block : live_) std::memset(block.memory, 1, block.bytes);
  }
  double live_bytes() const {
    double sum = 0;
    for (const Block& block : live_) sum += static_cast<double>(block.bytes);
    return sum;
  }

 private:
  static constexpr std::size_t kSizes = 4096;
  struct Block {
    void* memory;
    std::size_t bytes;
  };
  static void put(Block& block, std::size_t bytes) {
    block = {allocate(bytes), bytes};
    *static_cast<std::size_t*>(block.memory) = bytes;
  }

  std::uint64_t state_ = kSeed;
  std::vector<std::size_t> sizes_;
  std::vector<Block> live_;
};

class Map : public HeapLoops::Loop {
 public:
  Map() : in_(kElements) {
    std::mt19937_64 random(kSeed);
    for (int& key : in_) key = static_cast<int>(random());
    out_ = in_;
    std::shuffle(out_.begin(), out_.end(), random);
  }
  double slice() override {
    const auto build_and_erase = [this] {
      std::map<int, int> map;
      for (const int key : in_) map[key] = key;
      for (const int key : out_) map.erase(key);
    };
    return time_operations(1, build_and_erase) / kElements;
  }

 private:
  std::vector<int> in_, out_;
};

class Strings : public HeapLoops::Loop {
 public:
  Strings() : lengths_(kElements) {
    std::mt19937_64 random(kSeed);
    for (std::size_t& length : lengths_) length = 8 + random() % 93;
  }
  double slice() override {
    const auto grow_and_drop = [this] {
      std::vector<std::string> strings;
      for (const std::size_t length : lengths_) strings.emplace_back(length, 'x');
      void* data = strings.data();
      use(data);
    };
    return time_operations(4, grow_and_drop) / kElements;
  }

 private:
  std::vector<std::size_t> lengths_;
};

// Blocks that begin at a cache line, as vectorised code wants them.
struct AlignedPairs : HeapLoops::Loop {
  explicit AlignedPairs(std::size_t size) : bytes(size) {}
  double slice() override {
    return time_operations(10'000, [this] {
      void* block = std::aligned_alloc(64, bytes);
      use(block);
      std::free(block);
    });
  }
  std::size_t bytes;
};

// One block that grows by realloc; each page that it gains is written.
struct Growth : HeapLoops::Loop {
  static constexpr std::size_t kFirstBytes = 4096, kStepBytes = 64 << 10;
  Growth(std::size_t most_bytes, bool by_halves) : most(most_bytes), halves(by_halves) {}
  double slice() override {
    std::size_t steps = 0;
    const auto grow = [this, &steps] {
      steps = 0;
      void* block = nullptr;
      for (std::size_t bytes = kFirstBytes, old = 0; bytes <= most; ++steps) {
        block = std::realloc(block, bytes);
        use(block);
        for (std::size_t at = old; at < bytes; at += 4096) static_cast<char*>(block)[at] = 1;
        old = bytes;
        bytes += halves ? bytes / 2 : kStepBytes;
      }
      std::free(block);
    };
    const double ns = time_operations(2, grow);
    return ns / static_cast<double>(steps);
  }
  std::size_t most;
  bool halves;
};

std::unique_ptr<HeapLoops::Loop> make_loop(const std::string& name) {
  const std::size_t slash = name.find('/');
  const std::string kind = name.substr(0, slash);
  const std::size_t bytes =
      slash == std::string::npos ? 0 : std::strtoull(name.c_str() + slash + 1, nullptr, 10);
  if (kind == "pair") return std::make_unique<Pairs>(bytes);
  if (kind == "aligned") return std::make_unique<AlignedPairs>(bytes);
  if (kind == "burst") return std::make_unique<Bursts>(bytes);
  if (kind == "churn") return std::make_unique<Churn>(bytes);
  if (kind == "grow") return std::make_unique<Growth>(bytes, true);
  if (kind == "append") return std::make_unique<Growth>(bytes, false);
  if (kind == "map") return std::make_unique<Map>();
  if (kind == "strings") return std::make_unique<Strings>();
  std::fprintf(stderr, "there is no loop %s\n", name.c_str());
  std::exit(2);
}

}  // namespace

HeapLoops::HeapLoops() = default;
HeapLoops::~HeapLoops() = default;

double HeapLoops::time(const std::string& loop) {
  std::unique_ptr<Loop>& found = loops_[loop];
  if (found == nullptr) found = make_loop(loop);
  return found->slice();
}

double HeapLoops::resident_over_live() {
  const double before = process_memory().resident;
  Churn churn(4096);
  for (std::size_t i = 0; i < 20 * kLiveBlocks; ++i) churn.replace();
  churn.write_all();
  return (process_memory().resident - before) / churn.live_bytes();
}

double PassedBlocks::allocate() {
  const std::int64_t begin_ns = now_ns();
  for (void*& block : blocks_) {
    block = bench::allocate(bytes_);
    *static_cast<std::size_t*>(block) = bytes_;
  }
  return static_cast<double>(now_ns() - begin_ns) / kBlocks;
}

double PassedBlocks::release() {
  const std::int64_t begin_ns = now_ns();
  for (void* block : blocks_) std::free(block);
  return static_cast<double>(now_ns() - begin_ns) / kBlocks;
}

}  // namespace bench
