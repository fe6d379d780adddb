#ifndef ROAM_RUNTIME_BALANCING_RANK_INFOS_H_
#define ROAM_RUNTIME_BALANCING_RANK_INFOS_H_

#include <cstddef>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::runtime {

// What plans are told of each rank, by `node_of` each: ranks have equal parts of the memory of
// their node, `node_memory_bytes` (0: no limit), and there may be fewer of them in one node than in
// another.
inline std::vector<balance::RankInfo> rank_infos(const std::vector<int>& node_of,
                                                 std::size_t node_memory_bytes) {
  std::vector<std::size_t> ranks_of;  // each node
  for (const int node : node_of) {
    const auto n = static_cast<std::size_t>(node);
    if (n >= ranks_of.size()) ranks_of.resize(n + 1);
    ++ranks_of[n];
  }
  std::vector<balance::RankInfo> infos;
  for (const int node : node_of) {
    balance::RankInfo info;
    info.node = node;
    info.memory_bytes = node_memory_bytes / ranks_of[static_cast<std::size_t>(node)];
    infos.push_back(info);
  }
  return infos;
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_BALANCING_RANK_INFOS_H_
