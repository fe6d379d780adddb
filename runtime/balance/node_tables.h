#ifndef ROAM_RUNTIME_BALANCE_NODE_TABLES_H_
#define ROAM_RUNTIME_BALANCE_NODE_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// A table cut by nodes, which are numbered from 0 in the order of their numbers in the table.
class NodeTables {
 public:
  explicit NodeTables(const LoadTable& table);

  std::size_t nodes() const { return ranks_.size(); }
  std::int32_t node_of(std::int32_t rank) const { return node_[static_cast<std::size_t>(rank)]; }
  const std::vector<std::int32_t>& ranks_of(std::size_t node) const { return ranks_[node]; }

  // `table` with nodes in place of ranks, each on its own: as fast as its ranks together and with
  // the memory of all; none has a limit if one of its ranks has none. Its ranks send at once, so
  // moves and messages cost the fewer seconds the more they are. Without edges: they are the
  // table's.
  LoadTable between_nodes() const;

  // `plan` after `strategy` has seen each node of `which` for itself, without edges: inside a node
  // messages are free.
  Plan inside_nodes(const Plan& plan, Plan (*strategy)(const LoadTable&, std::uint64_t),
                    std::uint64_t seed, const std::vector<bool>& which) const;

 private:
  const LoadTable& table_;
  std::vector<std::int32_t> node_;                // of each rank
  std::vector<std::int32_t> index_;               // of each rank among those of its node
  std::vector<std::vector<std::int32_t>> ranks_;  // of each node
};

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_NODE_TABLES_H_
