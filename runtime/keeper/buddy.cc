#include "runtime/keeper/buddy.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace roam::runtime {
namespace {

std::vector<int> ranks_of(const std::vector<int>& node_of, int node) {
  std::vector<int> ranks;
  for (std::size_t r = 0; r < node_of.size(); ++r)
    if (node_of[r] == node) ranks.push_back(static_cast<int>(r));
  return ranks;
}

}  // namespace

int buddy_node(const std::vector<int>& node_of, int node) {
  const std::set<int> nodes(node_of.begin(), node_of.end());
  if (nodes.size() < 2) return -1;
  const auto next = nodes.upper_bound(node);
  return next == nodes.end() ? *nodes.begin() : *next;
}

int buddy_rank(const std::vector<int>& node_of, int rank) {
  const int node = node_of[static_cast<std::size_t>(rank)];
  const int buddy = buddy_node(node_of, node);
  if (buddy < 0) return -1;
  const std::vector<int> own = ranks_of(node_of, node), theirs = ranks_of(node_of, buddy);
  const auto place = std::find(own.begin(), own.end(), rank) - own.begin();
  return theirs[static_cast<std::size_t>(place) % theirs.size()];
}

std::vector<int> ranks_buddied_by(const std::vector<int>& node_of, int rank) {
  std::vector<int> whose;
  for (int r = 0; r < static_cast<int>(node_of.size()); ++r)
    if (buddy_rank(node_of, r) == rank) whose.push_back(r);
  return whose;
}

std::vector<std::uint64_t> committed_numbers(const std::vector<KeptAt>& kept) {
  std::set<std::uint64_t, std::greater<>> numbers;
  for (const KeptAt& one : kept)
    if (one.committed) numbers.insert(one.number);
  return {numbers.begin(), numbers.end()};
}

std::vector<std::size_t> places_of(const std::vector<KeptAt>& kept, std::uint64_t number,
                                   const std::vector<WantedPiece>& wanted, std::string* missing) {
  std::map<std::string, std::vector<std::size_t>> where;  // of each name
  for (std::size_t k = 0; k < kept.size(); ++k) {
    if (kept[k].number != number) continue;
    for (const std::string& name : kept[k].pieces) where[name].push_back(k);
  }
  std::vector<std::size_t> places;
  std::map<int, int> sends;  // how many pieces a rank sends
  for (const WantedPiece& piece : wanted) {
    const auto found = where.find(piece.name);
    if (found == where.end()) {
      *missing = piece.name;
      return {};
    }
    const auto better = [&](std::size_t a, std::size_t b) {
      const int of_a = kept[a].rank, of_b = kept[b].rank;
      if ((of_a == piece.reader) != (of_b == piece.reader)) return of_a == piece.reader;
      if (of_a != piece.reader) return sends[of_a] < sends[of_b];
      return (kept[a].keeper == piece.node) > (kept[b].keeper == piece.node);
    };
    // The first of equals.
    const std::size_t best = *std::min_element(found->second.begin(), found->second.end(), better);
    if (kept[best].rank != piece.reader) ++sends[kept[best].rank];
    places.push_back(best);
  }
  return places;
}

}  // namespace roam::runtime
