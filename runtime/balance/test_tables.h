#ifndef ROAM_RUNTIME_BALANCE_TEST_TABLES_H_
#define ROAM_RUNTIME_BALANCE_TEST_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/test_bytes.h"
#include "runtime/balance/load_table.h"

namespace roam::balance {

// Costs that make every gain pay.
inline Costs free_moves() { return {1e9, 0, 0, 0, 0, 0}; }

// Threads with these loads, all on rank 0, each with 1,000 bytes; ranks on a node each.
inline LoadTable table_of(const std::vector<double>& loads_s, std::size_t ranks) {
  LoadTable table;
  for (const double load_s : loads_s) table.threads.push_back({load_s, 1'000, 0});
  for (std::size_t r = 0; r < ranks; ++r) {
    table.ranks.push_back({.speed = 1, .node = static_cast<std::int32_t>(r)});
  }
  return table;
}

// A number below `limit` that follows from `state`.
inline std::uint64_t below(std::uint64_t* state, std::uint64_t limit) {
  return next_random(state) % limit;
}
inline double fraction(std::uint64_t* state) {
  return static_cast<double>(next_random(state) >> 11) * 0x1p-53;
}

// What random_table may put in.
struct Variety {
  std::size_t most_threads = 60;
  std::size_t most_ranks = 12;
  bool speeds = true;
  bool limits = true;
  bool edges = true;
  bool fixed = true;
  bool blocks = true;
};

// Any table within `variety`: loads of several shapes (equal ones, zeros and giants too), threads
// anywhere or on one rank, nodes of several sizes, limits that may be exceeded already.
inline LoadTable random_table(std::uint64_t* state, const Variety& variety) {
  LoadTable table;
  const std::size_t threads = below(state, variety.most_threads + 1);
  const std::size_t ranks = 1 + below(state, variety.most_ranks);
  const std::size_t node_ranks = 1 + below(state, 4);
  const std::uint64_t shape = below(state, 5);
  const bool on_one = below(state, 4) == 0;
  for (std::size_t i = 0; i < threads; ++i) {
    double load_s = fraction(state);
    if (shape == 1) load_s = 1;
    if (shape == 2) load_s = i == 0 ? 100 : load_s;
    if (shape == 3) load_s = below(state, 2) == 0 ? 0 : load_s * load_s * load_s;
    if (shape == 4) load_s = on_one ? 0 : 1e-9 * load_s;
    const auto rank = static_cast<std::int32_t>(on_one ? 0 : below(state, ranks));
    table.threads.push_back({load_s, below(state, 3) == 0 ? 0 : below(state, 10'000'000), rank});
  }
  for (std::size_t r = 0; r < ranks; ++r) {
    RankInfo rank{.speed = 1, .node = static_cast<std::int32_t>(r / node_ranks)};
    if (variety.speeds && below(state, 3) == 0) rank.speed = 0.25 + fraction(state);
    rank.used_bytes = below(state, 1'000'000);
    if (variety.limits && below(state, 2) == 0) {
      rank.memory_bytes = 1 + below(state, 10'000'000 * (2 * threads / ranks + 2));
    }
    table.ranks.push_back(rank);
  }
  if (variety.edges && threads != 0 && below(state, 2) == 0) {
    table.first_edge.push_back(0);
    for (std::size_t i = 0; i < threads; ++i) {
      for (std::uint64_t left = below(state, 5); left != 0; --left) {
        table.edges.push_back({static_cast<std::uint32_t>(below(state, threads)),
                               below(state, 1'000'000),
                               static_cast<std::uint32_t>(below(state, 9))});
      }
      table.first_edge.push_back(table.edges.size());
    }
  }
  if (variety.fixed && below(state, 2) == 0) {
    const std::uint64_t one_in = 1 + below(state, 5);
    for (ThreadLoad& thread : table.threads) thread.fixed = below(state, one_in) == 0;
  }
  if (variety.blocks && below(state, 2) == 0) {
    for (std::uint64_t left = 1 + below(state, 6); left != 0; --left) {
      table.block_bytes.push_back(below(state, 20'000'000));
    }
    for (ThreadLoad& thread : table.threads) {
      if (below(state, 4) != 0) {
        thread.block = static_cast<std::int32_t>(below(state, table.block_bytes.size()));
      }
    }
  }
  if (below(state, 2) == 0) table.costs.steps = static_cast<double>(below(state, 100'000));
  return table;
}

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_TEST_TABLES_H_
