#include "runtime/balance/rank_tree.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace roam::balance {

struct RankTree::Search {
  double load_s;
  Need need;
  Span within;
  double best_s = std::numeric_limits<double>::infinity();
  std::size_t best = 0;
  bool found = false;
  int vertices = 0;  // seen

  // No leaf below `vertex` ends sooner.
  double bound_s(const Vertex& vertex) const { return vertex.least_s + load_s / vertex.speed; }
};

RankTree::RankTree(const LoadTable& table) : block_bytes_(table.block_bytes) {
  const std::size_t ranks = table.ranks.size();
  while (width_ < ranks) width_ *= 2;
  rank_at_.resize(ranks);
  std::iota(rank_at_.begin(), rank_at_.end(), 0);
  const auto node = [&](std::size_t l) {
    return table.ranks[static_cast<std::size_t>(rank_at_[l])].node;
  };
  std::stable_sort(rank_at_.begin(), rank_at_.end(), [&](std::int32_t a, std::int32_t b) {
    return table.ranks[static_cast<std::size_t>(a)].node <
           table.ranks[static_cast<std::size_t>(b)].node;
  });
  leaf_of_.resize(ranks);
  node_.resize(ranks);
  for (std::size_t begin = 0, end; begin < ranks; begin = end) {
    for (end = begin; end < ranks && node(end) == node(begin); ++end) {
      leaf_of_[static_cast<std::size_t>(rank_at_[end])] = end;
    }
    std::fill(node_.begin() + static_cast<std::ptrdiff_t>(begin),
              node_.begin() + static_cast<std::ptrdiff_t>(end), Span{begin, end});
  }

  std::vector<std::uint64_t> taken(ranks);
  for (std::size_t r = 0; r < ranks; ++r) taken[r] = table.ranks[r].used_bytes;
  for (const ThreadLoad& thread : table.threads) {
    const auto r = static_cast<std::size_t>(thread.rank);
    taken[r] += bytes_more(leaf_of_[r], thread);
    if (thread.block >= 0) ++sharers_[sharing(leaf_of_[r], thread.block)];
  }
  leaves_.resize(ranks);
  vertices_.resize(2 * width_);
  for (std::size_t r = 0; r < ranks; ++r) {
    const std::uint64_t limit =
        table.ranks[r].memory_bytes != 0 ? table.ranks[r].memory_bytes : kUnlimited;
    Leaf& leaf = leaves_[leaf_of_[r]];
    leaf.speed = table.ranks[r].speed;
    leaf.over = taken[r] > limit ? taken[r] - limit : 0;
    leaf.room = limit == kUnlimited ? kUnlimited : limit - std::min(limit, taken[r]);
  }
  refresh();
}

RankTree::Vertex RankTree::vertex_of(const Leaf& leaf) const {
  const double time_s = leaf.load_s / leaf.speed;
  return {time_s, time_s, leaf.speed, leaf.room};
}

// Field by field: a vertex that is put together elsewhere and copied costs a third of a plan.
inline bool RankTree::update_inner(std::size_t vertex) {
  const Vertex &a = vertices_[2 * vertex], &b = vertices_[2 * vertex + 1];
  const double least_s = std::min(a.least_s, b.least_s), most_s = std::max(a.most_s, b.most_s);
  const double speed = std::max(a.speed, b.speed);
  const std::uint64_t room = std::max(a.room, b.room);
  Vertex& v = vertices_[vertex];
  if (v.least_s == least_s && v.most_s == most_s && v.speed == speed && v.room == room)
    return false;
  v.least_s = least_s;
  v.most_s = most_s;
  v.speed = speed;
  v.room = room;
  return true;
}

void RankTree::refresh() {
  for (std::size_t l = 0; l < leaves_.size(); ++l) vertices_[width_ + l] = vertex_of(leaves_[l]);
  for (std::size_t v = width_ - 1; v != 0; --v) update_inner(v);
}

void RankTree::update(std::size_t leaf) {
  vertices_[width_ + leaf] = vertex_of(leaves_[leaf]);
  for (std::size_t v = (width_ + leaf) / 2; v != 0 && update_inner(v); v /= 2) {
  }
}

void RankTree::add_load(std::int32_t rank, double load_s) {
  const std::size_t leaf = leaf_of_[static_cast<std::size_t>(rank)];
  leaves_[leaf].load_s = std::max(0.0, leaves_[leaf].load_s + load_s);  // rounding may go below
  update(leaf);
}

void RankTree::give_back(std::size_t leaf, std::uint64_t bytes) {
  Leaf& from = leaves_[leaf];
  if (from.room == kUnlimited) return;
  const std::uint64_t owed = std::min(from.over, bytes);
  from.over -= owed;
  from.room += bytes - owed;
}

void RankTree::add_loads(const LoadTable& table) {
  for (const ThreadLoad& thread : table.threads) add_load_later(thread.rank, thread.load_s);
  refresh();
}

void RankTree::add_fixed(const LoadTable& table) {
  for (const ThreadLoad& thread : table.threads) {
    if (thread.fixed) add_load_later(thread.rank, thread.load_s);
  }
  refresh();
}

void RankTree::move_bytes(std::int32_t from, std::int32_t to, const Need& need) {
  if ((need.bytes == 0 && need.block < 0) || from == to) return;
  ROAM_CHECK(has_room(to, need), "RankTree::move_bytes: rank %d has no room", to);
  const std::size_t a = leaf_of_[static_cast<std::size_t>(from)];
  const std::size_t b = leaf_of_[static_cast<std::size_t>(to)];
  const std::uint64_t taken = bytes_more(b, need);
  if (need.block >= 0) {
    const auto sharers = sharers_.find(sharing(a, need.block));
    if (--sharers->second == 0) sharers_.erase(sharers);
    ++sharers_[sharing(b, need.block)];
  }
  give_back(a, bytes_more(a, need));
  if (leaves_[b].room != kUnlimited) leaves_[b].room -= taken;
  if (leaves_[a].room != kUnlimited) update(a);
  if (leaves_[b].room != kUnlimited) update(b);
}

void RankTree::search(Search& search, std::size_t v, std::size_t begin, std::size_t end) const {
  if (end <= search.within.begin || search.within.end <= begin) return;
  const Vertex& vertex = vertices_[v];
  // Above the leaves it is not known who has the block already.
  if (vertex.room < search.need.bytes || !(search.bound_s(vertex) < search.best_s)) return;
  if (++search.vertices > kMostVertices && search.found) return;
  if (v >= width_) {
    if (search.need.block >= 0 && vertex.room < bytes_more(v - width_, search.need)) return;
    search.best_s = search.bound_s(vertex);
    search.best = v - width_;
    search.found = true;
    return;
  }
  const std::size_t middle = begin + (end - begin) / 2;
  const bool left = search.bound_s(vertices_[2 * v]) <= search.bound_s(vertices_[2 * v + 1]);
  if (left) this->search(search, 2 * v, begin, middle);
  this->search(search, 2 * v + 1, middle, end);
  if (!left) this->search(search, 2 * v, begin, middle);
}

std::int32_t RankTree::earliest(double load_s, const Need& need, Span within) const {
  Search s{.load_s = load_s, .need = need, .within = within};
  search(s, 1, 0, width_);
  return s.found ? rank_at_[s.best] : -1;
}

std::int32_t RankTree::busiest() const {
  std::size_t v = 1;
  while (v < width_) v = vertices_[2 * v].most_s >= vertices_[2 * v + 1].most_s ? 2 * v : 2 * v + 1;
  return rank_at_[v - width_];
}

}  // namespace roam::balance
