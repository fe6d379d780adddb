#ifndef ROAM_TESTS_STRESS_COUNTS_H_
#define ROAM_TESTS_STRESS_COUNTS_H_

#include <cstdint>
#include <cstdio>

namespace roam_test {

// What the threads on one rank have done. Plain numbers: a rank's threads run one at a time.
struct Counts {
  std::uint64_t started = 0, ended = 0, threw = 0, joined = 0;
  std::uint64_t moved = 0, asked = 0, refused = 0, slept = 0;
  std::uint64_t allocated = 0, resized = 0, freed = 0, freed_for_others = 0;
  std::uint64_t sent = 0, received = 0, carried = 0, bytes_verified = 0;

  void add(const Counts& other) {
    const auto* from = reinterpret_cast<const std::uint64_t*>(&other);
    auto* to = reinterpret_cast<std::uint64_t*>(this);
    for (std::size_t i = 0; i < sizeof(Counts) / 8; ++i) to[i] += from[i];
  }
  void print() const {
    auto line = [](const char* what, std::uint64_t n) {
      printf("  %-32s %12llu\n", what, static_cast<unsigned long long>(n));
    };
    line("threads started", started);
    line("threads ended", ended);
    line("... of them with an exception", threw);
    line("joins", joined);
    line("moves of oneself", moved);
    line("requests to others", asked);
    line("... refused: ended or pinned", refused);
    line("sleeps", slept);
    line("blocks allocated", allocated);
    line("blocks resized", resized);
    line("blocks freed", freed);
    line("... by another thread", freed_for_others);
    line("messages sent", sent);
    line("messages received", received);
    line("isomalloc blocks carried", carried);
    line("MiB verified", bytes_verified >> 20);
  }
};

// This rank's.
Counts& counts();

}  // namespace roam_test

#endif  // ROAM_TESTS_STRESS_COUNTS_H_
