#include <gtest/gtest.h>
#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "base/test_bytes.h"
#include "isomalloc/heap.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{16} << 30;

Address address(const void* p) { return reinterpret_cast<Address>(p); }

class HeapRandomTest : public testing::TestWithParam<bool> {
 protected:
  TestArena test_{GetParam(), kArenaBytes};
  TestHeap heap_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, HeapRandomTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

std::vector<std::size_t> sizes() {
  std::vector<std::size_t> all;
  for (std::size_t n = 0; n <= 300; ++n) all.push_back(n);
  for (std::uint32_t c = 0; c < kSizeClasses; ++c) {
    for (const std::size_t n : {class_bytes(c) - 1, class_bytes(c), class_bytes(c) + 1}) {
      all.push_back(n);
    }
  }
  for (const std::size_t n : {kUnitBytes - 129, kUnitBytes - 128, kUnitBytes - 127, kUnitBytes,
                              kUnitBytes + 1, std::size_t{1} << 20, (std::size_t{1} << 20) + 7}) {
    all.push_back(n);
  }
  return all;
}

// ---- fuzzers ----

// Blocks that are in use, each with the seed of its bytes.
class Model {
 public:
  struct Block {
    std::size_t bytes;
    std::uint64_t seed;
  };
  void add(void* p, std::size_t bytes, std::uint64_t seed) {
    const Address begin = address(p), end = begin + std::max<std::size_t>(bytes, 1);
    const auto next = blocks_.lower_bound(begin);
    ASSERT_TRUE(next == blocks_.end() || end <= next->first) << "overlaps a live block";
    if (next != blocks_.begin()) {
      const auto before = std::prev(next);
      ASSERT_LE(before->first + before->second.bytes, begin) << "overlaps a live block";
    }
    fill_bytes(p, bytes, seed);
    blocks_[begin] = {bytes, seed};
  }
  bool empty() const { return blocks_.empty(); }
  std::size_t count() const { return blocks_.size(); }
  // Some block; it is out of the model then.
  std::pair<void*, Block> take(std::uint64_t random) {
    auto it = blocks_.begin();
    std::advance(it,
                 static_cast<std::ptrdiff_t>(random % std::min<std::size_t>(blocks_.size(), 64)));
    if (random & (std::uint64_t{1} << 40)) it = std::prev(blocks_.end());
    const std::pair<void*, Block> taken{reinterpret_cast<void*>(it->first), it->second};
    blocks_.erase(it);
    return taken;
  }
  // How many pages have a byte of these blocks, each of `block_bytes` in truth.
  std::size_t pages(std::size_t block_bytes) const {
    std::set<Address> found;
    for (const auto& [at, block] : blocks_) {
      for (Address a = round_down(at, kPageBytes); a < at + block_bytes; a += kPageBytes)
        found.insert(a);
    }
    return found.size();
  }
  bool holds(void* p) const { return blocks_.count(address(p)) != 0; }
  // The block at `p`, out of the model; whether its bytes were intact.
  testing::AssertionResult take_at(void* p) {
    const Block block = blocks_.at(address(p));
    blocks_.erase(address(p));
    return holds_bytes(p, block.bytes, block.seed);
  }
  testing::AssertionResult intact() const {
    for (const auto& [at, block] : blocks_) {
      if (auto r = holds_bytes(reinterpret_cast<void*>(at), block.bytes, block.seed); !r) return r;
    }
    return testing::AssertionSuccess();
  }

 private:
  std::map<Address, Block> blocks_;
};

std::size_t random_bytes(std::mt19937_64& random) {
  switch (random() % 16) {
    case 0:
      return random() % (1 << 20);
    case 1:
    case 2:
      return random() % (80 << 10);
    case 3:
    case 4:
    case 5:
      return random() % kLargestSmall;
    default:
      return random() % 300;
  }
}

void random_operation(Heap& heap, Model& model, std::mt19937_64& random) {
  const std::size_t bytes = random_bytes(random);
  const std::uint64_t what = random() % 16;
  if (what < 8 && !model.empty() && model.count() > 20 + random() % 400) {
    const auto [p, block] = model.take(random());
    ASSERT_TRUE(holds_bytes(p, block.bytes, block.seed));
    what % 4 == 0 ? Heap::free_from_elsewhere(p) : heap.free(p);
  } else if (what < 11) {
    void* p = heap.allocate(bytes);
    ASSERT_NE(p, nullptr);
    model.add(p, bytes, random());
  } else if (what == 11) {
    void* p = heap.allocate_zeroed(bytes);
    ASSERT_NE(p, nullptr);
    ASSERT_TRUE(all_zero(p, bytes));
    model.add(p, bytes, random());
  } else if (what == 12) {
    const std::size_t alignment = std::size_t{1} << (random() % 18);
    void* p = heap.allocate_aligned(alignment, bytes);
    ASSERT_NE(p, nullptr);
    ASSERT_EQ(address(p) % alignment, 0u);
    model.add(p, bytes, random());
  } else if (what == 13 && !model.empty()) {
    const auto [old, block] = model.take(random());
    if (!heap.owns_block(old)) {
      ASSERT_TRUE(holds_bytes(old, block.bytes, block.seed));
      heap.free(old);
      return;
    }
    void* p = heap.reallocate(old, bytes);
    ASSERT_NE(p, nullptr);
    ASSERT_TRUE(holds_bytes(p, std::min(bytes, block.bytes), block.seed));
    model.add(p, bytes, random());
  } else if (what == 14) {
    heap.collect();
  } else if (random() % 8 == 0) {
    ASSERT_EQ(heap.release_empty(), model.empty());
  }
}

void free_all(Heap& heap, Model& model) {
  while (!model.empty()) {
    const auto [p, block] = model.take(0);
    ASSERT_TRUE(holds_bytes(p, block.bytes, block.seed));
    heap.free(p);
  }
}

TEST_P(HeapRandomTest, RandomOperationsKeepEveryBlocksBytes) {
  const std::uint64_t seed = test_seed();
  const std::size_t free_before = pool(Region::kHeap).free_bytes();
  for (std::uint64_t run = 0; run < 8; ++run) {
    std::mt19937_64 random(seed + run);
    Model model;
    for (int op = 0; op < 5000; ++op) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " run " << run << " operation " << op);
      random_operation(heap_.heap(), model, random);
      if (HasFatalFailure()) return;
    }
    ASSERT_TRUE(model.intact());
    free_all(heap_.heap(), model);
    EXPECT_TRUE(heap_->release_empty());
    EXPECT_EQ(heap_->address_bytes(), 0u);
    EXPECT_EQ(pool(Region::kHeap).free_bytes(), free_before) << "nothing is lost";
  }
}

// What a migration does, without the network: what of the heap has to travel goes away and comes
// back to the same addresses, where something else was meanwhile. Returns the bytes that travelled,
// of spans of small blocks.
std::size_t travel(TestHeap& heap) {
  heap->close_remote();
  heap->find_holes();
  std::vector<Range> spans;
  std::vector<Range> runs{heap.head_page()};
  std::size_t bytes = 0;
  heap->for_each_span([&](const Span& span) {
    spans.push_back(span.range());
    if (span.large()) {
      runs.push_back(span.range());
      return;
    }
    span.for_each_run([&](Range run) {
      runs.push_back(run);
      bytes += run.bytes;
    });
  });
  std::vector<std::vector<char>> image;
  for (const Range& run : runs) {
    const char* begin = static_cast<const char*>(run.pointer());
    image.emplace_back(begin, begin + run.bytes);
  }
  arena().discard(heap.head_page());
  for (const Range& span : spans) std::memset(span.pointer(), 0x5a, span.bytes);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::memcpy(runs[i].pointer(), image[i].data(), image[i].size());
  }
  heap->open_remote();
  return bytes;
}

TEST_P(HeapRandomTest, AHeapSurvivesBeingCopiedAwayAndBack) {
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  Model model;
  for (int trip = 0; trip < 20; ++trip) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << " trip " << trip);
    for (int op = 0; op < 500; ++op) {
      random_operation(heap_.heap(), model, random);
      if (HasFatalFailure()) return;
    }
    travel(heap_);
    ASSERT_TRUE(model.intact());
  }
  free_all(heap_.heap(), model);
  EXPECT_TRUE(heap_->release_empty());
}

// Blocks of one size after the other, most of which die before each trip.
TEST_P(HeapRandomTest, PagesThatHoldNothingDoNotTravelAndAreUsedAgain) {
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  for (const std::size_t bytes : {16, 48, 100, 160, 800, 2'000, 4'096, 6'000, 9'000, 28'000}) {
    Model model;
    std::vector<void*> all;
    for (int trip = 0; trip < 6; ++trip) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", " << bytes << " B, trip " << trip);
      while (model.count() * bytes < 20 * kUnitBytes) {
        void* p = heap_->allocate(bytes);
        ASSERT_NE(p, nullptr);
        model.add(p, bytes, random());
        if (testing::Test::HasFatalFailure()) return;
        all.push_back(p);
      }
      const std::size_t address_bytes = heap_->address_bytes();
      EXPECT_LT(address_bytes, 45 * kUnitBytes) << "free blocks are used again";
      // Runs of pages, of which every other dies, and single blocks.
      const std::size_t run_bytes = kPageBytes << (1 + random() % 3);
      for (void* p : all) {
        const bool dies = address(p) / run_bytes % 2 != 0 || random() % 8 == 0;
        if (!dies || !model.holds(p)) continue;
        ASSERT_TRUE(model.take_at(p));
        heap_->free(p);
      }
      std::erase_if(all, [&](void* p) { return !model.holds(p); });
      heap_->release_empty();
      const std::size_t sent = travel(heap_);
      ASSERT_TRUE(model.intact());
      // Pages in which something lives, and the head of each span.
      const std::size_t heads = heap_->address_bytes() / kUnitBytes;
      EXPECT_LE(sent, (model.pages(Heap::usable_bytes(all[0])) + heads) * kPageBytes);
    }
    free_all(heap_.heap(), model);
    EXPECT_TRUE(heap_->release_empty());
  }
}

TEST_P(HeapRandomTest, AHeapWithHolesIsAdoptedAndAnEmptiedOneGivesAllBack) {
  std::mt19937_64 random(test_seed());
  for (const std::size_t bytes : {100ul, 1'500ul, 5'000ul}) {
    TestHeap other;
    Model model;
    std::vector<void*> all;
    for (int i = 0; i < 2000; ++i) {
      all.push_back(other->allocate(bytes));
      model.add(all.back(), bytes, random());
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i / (30'000 / bytes) % 2 == 0) continue;
      ASSERT_TRUE(model.take_at(all[i]));
      other->free(all[i]);
    }
    travel(other);
    heap_->adopt(other.heap());
    ASSERT_TRUE(model.intact());
    const std::size_t address_bytes = heap_->address_bytes();
    for (int i = 0; i < 900; ++i) {
      void* p = heap_->allocate(bytes);
      model.add(p, bytes, random());
    }
    EXPECT_LE(heap_->address_bytes(), address_bytes + kUnitBytes) << "holes are filled again";
    ASSERT_TRUE(model.intact());
    free_all(heap_.heap(), model);
    EXPECT_TRUE(heap_->release_empty());
    EXPECT_TRUE(other->release_empty());
  }
}

TEST_P(HeapRandomTest, AListThatABrokenProgramDamagedStopsNoTravel) {
  std::vector<char*> blocks;
  for (int i = 0; i < 100; ++i) blocks.push_back(static_cast<char*>(heap_->allocate(300)));
  for (int i = 20; i < 80; ++i) heap_->free(blocks[static_cast<std::size_t>(i)]);
  std::memset(blocks[40], 1, 300);  // after its free
  for (std::size_t i = 0; i < 20; ++i) fill_bytes(blocks[i], 300, i);
  travel(heap_);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_TRUE(holds_bytes(blocks[i], 300, i));
  heap_->for_each_span([](const Span& span) { EXPECT_EQ(span.holes, 0u) << "left as it was"; });
  heap_->release_all();
}

// ---- frees from elsewhere ----

// The owner allocates without a pause; kernel threads verify and free what it hands them.
TEST_P(HeapRandomTest, KernelThreadsFreeWhatTheOwnerAllocatesMeanwhile) {
  constexpr int kFreers = 3, kBlocks = 30'000;
  struct Item {
    void* p;
    std::size_t bytes;
  };
  std::mutex mutex;
  std::deque<Item> queue;
  bool over = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> freers;
  for (int i = 0; i < kFreers; ++i) {
    freers.emplace_back([&] {
      for (;;) {
        std::optional<Item> item;
        {
          std::lock_guard lock(mutex);
          if (!queue.empty()) {
            item = queue.front();
            queue.pop_front();
          } else if (over) {
            return;
          }
        }
        if (!item) {
          std::this_thread::yield();
          continue;
        }
        wrong += first_wrong_byte(item->p, item->bytes, address(item->p)) != item->bytes;
        Heap::free_from_elsewhere(item->p);
      }
    });
  }
  std::mt19937_64 random(test_seed());
  for (int i = 0; i < kBlocks; ++i) {
    const std::size_t bytes = random() % 100 == 0 ? random() % 200'000 : random() % 600;
    void* p = heap_->allocate(bytes);
    if (p == nullptr) {
      ADD_FAILURE() << "no memory";
      break;
    }
    fill_bytes(p, bytes, address(p));
    if (random() % 4 == 0) {
      wrong += first_wrong_byte(p, bytes, address(p)) != bytes;
      heap_->free(p);
      continue;
    }
    std::lock_guard lock(mutex);
    queue.push_back({p, bytes});
  }
  {
    std::lock_guard lock(mutex);
    over = true;
  }
  for (std::thread& freer : freers) freer.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(heap_->release_empty()) << "every block has come home";
}

TEST_P(HeapRandomTest, AnAdoptedBlockIsTheAdoptersAndFreesFindIt) {
  TestHeap other;
  std::vector<std::pair<void*, std::size_t>> blocks;
  for (const std::size_t bytes : sizes()) {
    void* p = other->allocate(std::max<std::size_t>(bytes, 200));
    blocks.emplace_back(p, std::max<std::size_t>(bytes, 200));
    fill_bytes(p, blocks.back().second, address(p));
  }
  void* head = other->allocate(8);
  Heap::free_from_elsewhere(blocks.back().first);  // waits in the list of the heap that is adopted
  blocks.pop_back();
  const std::size_t own = heap_->address_bytes();
  const std::size_t all = other->address_bytes();
  heap_->adopt(other.heap());
  EXPECT_EQ(other->address_bytes(), 0u);
  EXPECT_LE(heap_->address_bytes(), own + all);
  EXPECT_FALSE(other->head_empty()) << "head blocks stay";
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto [p, bytes] = blocks[i];
    ASSERT_TRUE(holds_bytes(p, bytes, address(p)));
    ASSERT_EQ(heap_of(p), &heap_.heap());
    i % 2 == 0 ? heap_->free(p) : Heap::free_from_elsewhere(p);
  }
  heap_->free(head);
  EXPECT_TRUE(other->release_empty());
  EXPECT_TRUE(heap_->release_empty());
  for (int i = 0; i < 100; ++i) ASSERT_NE(heap_->allocate(500), nullptr);
}

// Another kernel thread frees a block just as its heap is taken over: between the look at whose it
// is and the sending it changes hands.
TEST_P(HeapRandomTest, ABlockThatIsSentHomeWhileItsHeapIsAdoptedComesHome) {
  TestHeap other;
  std::atomic<void*> offered = nullptr;
  std::atomic<bool> over = false;
  std::thread freer([&] {
    while (!over) {
      if (void* block = offered.load(); block != nullptr) {
        Heap::free_from_elsewhere(block);
        offered = nullptr;
      }
    }
  });
  int round = 0;
  for (; round < 10'000; ++round) {
    void* kept = other->allocate(300);
    offered = other->allocate(300);
    for (int i = round % 64; i > 0; --i) _mm_pause();
    heap_->adopt(other.heap());
    while (offered != nullptr) std::this_thread::yield();
    heap_->free(kept);
    const bool home = heap_->release_empty();
    EXPECT_TRUE(home) << "round " << round;
    if (!home || !other->release_empty()) break;
    other->restart();
  }
  over = true;
  freer.join();
  EXPECT_EQ(round, 10'000);
}

TEST_P(HeapRandomTest, EverythingCanBeGivenBackLiveOrNot) {
  const std::size_t before = pool(Region::kHeap).free_bytes();
  for (const std::size_t bytes : sizes()) ASSERT_NE(heap_->allocate(bytes), nullptr);
  EXPECT_LT(pool(Region::kHeap).free_bytes(), before);
  heap_->release_all();
  EXPECT_EQ(pool(Region::kHeap).free_bytes(), before);
  EXPECT_EQ(heap_->address_bytes(), 0u);
}

}  // namespace
}  // namespace roam::iso
