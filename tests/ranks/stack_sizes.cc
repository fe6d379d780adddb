// Stacks of many sizes at the same addresses, deep enough to be sent in bulk: what guards of
// earlier ones are left where the bytes arrive is no hindrance.
#include <cstddef>
#include <cstdint>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

constexpr std::size_t kFrameBytes = 8 << 10;

// Calls `inside` below `frames` frames that are filled, and looks at them afterwards.
template <class F>
[[gnu::noinline]] void deep(int frames, std::uint64_t seed, F inside) {
  volatile std::uint64_t frame[kFrameBytes / 8];
  for (std::size_t i = 0; i < kFrameBytes / 8; ++i) frame[i] = mix(seed + i);
  if (frames > 1) {
    deep(frames - 1, seed + 1, inside);
  } else {
    inside();
  }
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < kFrameBytes / 8; ++i) wrong += frame[i] != mix(seed + i);
  expect_eq(wrong, std::uint64_t{0}, "words of a frame that differ after the moves");
}

SCENARIO(StackSizes, ArriveWhereOtherSizesHaveBeen) {
  Random rng(20261127);
  for (int round = 0; round < 200; ++round) {
    roam::Thread threads[6];
    for (roam::Thread& thread : threads) {
      const std::size_t stack_bytes = std::size_t{64 << 10} * rng.between(2, 40);
      const int most = static_cast<int>(stack_bytes / kFrameBytes / 2);
      const int frames = 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(most)));
      const std::uint64_t seed = rng.next();
      const int home = static_cast<int>(rng.below(static_cast<std::uint64_t>(roam::ranks())));
      thread = roam::spawn({.stack_bytes = stack_bytes, .rank = home}, [=] {
        deep(frames, seed, [] {
          for (int k = 0; k < 3; ++k) {
            roam::this_thread::migrate(stranger());
            roam::this_thread::migrate(next_rank());
          }
        });
      });
    }
    for (const roam::Thread thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace roam_test
