// Kernel threads that the program makes allocate, free, pack and unpack blocks beside threads.
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "roam/isomalloc.h"
#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

// Makes and frees blocks, some of them by way of an image.
void use_blocks(std::uint64_t seed, int rounds) {
  Random rng(seed);
  std::vector<std::pair<void*, std::size_t>> held;
  for (int i = 0; i < rounds; ++i) {
    const std::size_t bytes = rng.below(200'000);
    void* block = iso_malloc(bytes);
    expect(block != nullptr, "iso_malloc gave a block");
    expect_eq(iso_length(block), bytes, "length");
    Pattern(bytes).fill(block, bytes);
    if (rng.one_in(4)) {
      roam::PupSizer sizer;
      roam::pup_block(sizer, &block);
      std::vector<char> image(sizer.bytes());
      roam::PupToMemory packer(image.data(), true);
      roam::pup_block(packer, &block);
      roam::PupFromMemory unpacker(image.data(), image.size());
      roam::pup_block(unpacker, &block);
    }
    held.emplace_back(block, bytes);
    if (held.size() < 20) continue;
    const std::size_t k = rng.below(held.size());
    Pattern(held[k].second).verify(held[k].first, held[k].second, "a block");
    iso_free(held[k].first);
    held[k] = held.back();
    held.pop_back();
  }
  for (const auto& [block, bytes] : held) iso_free(block);
}

SCENARIO(BlocksOfOutsiders, AreMadeAndFreedBesideThoseOfThreads) {
  std::vector<roam::Thread> threads;
  for (int r = 0; r < roam::ranks(); ++r) {
    threads.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [r] {
      std::atomic<int> failed = 0;
      std::vector<std::thread> outside;
      for (int k = 0; k < 3; ++k) {
        outside.emplace_back([&failed, seed = static_cast<std::uint64_t>(10 * r + k)] {
          try {
            use_blocks(seed, 300);
          } catch (const Failure&) {
            ++failed;
          }
        });
      }
      for (int i = 0; i < 20; ++i) {
        use_blocks(static_cast<std::uint64_t>(1000 * r + i), 20);
        roam::this_thread::yield();
      }
      for (std::thread& t : outside) t.join();
      expect_eq(failed.load(), 0, "kernel threads that failed");
    }));
  }
  for (roam::Thread t : threads) t.join();
}

SCENARIO(BlocksOfOutsiders, AreRefusedToTheCaller) {
  std::thread([] {
    errno = 0;
    expect(iso_malloc(SIZE_MAX) == nullptr, "too large");
    expect_eq(errno, ENOMEM, "errno");
    expect_error(roam::Errc::corrupt_image, {}, [] {
      const std::vector<char> junk(1000, 'j');
      void* block = nullptr;
      roam::PupFromMemory unpacker(junk.data(), junk.size());
      roam::pup_block(unpacker, &block);
    });
  }).join();
}

}  // namespace
}  // namespace roam_test
