#include "runtime/balance/size_index.h"

#include <algorithm>
#include <numeric>

namespace roam::balance {
namespace {

// The representative of `place`, whose path is halved on the way.
std::size_t find(std::vector<std::uint32_t>& next, std::size_t place) {
  while (next[place] != place) place = next[place] = next[next[place]];
  return place;
}

}  // namespace

SizeIndex::SizeIndex(const LoadTable& table) : begin_(table.ranks.size() + 1) {
  for (const ThreadLoad& thread : table.threads) {
    if (thread.load_s > 0) ++begin_[static_cast<std::size_t>(thread.rank) + 1];
  }
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  threads_.resize(begin_.back());
  std::vector<std::size_t> end(begin_);
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const ThreadLoad& thread = table.threads[i];
    if (thread.load_s > 0) {
      threads_[end[static_cast<std::size_t>(thread.rank)]++] = static_cast<std::uint32_t>(i);
    }
  }
  for (std::size_t r = 0; r < table.ranks.size(); ++r) {
    std::sort(threads_.begin() + static_cast<std::ptrdiff_t>(begin_[r]),
              threads_.begin() + static_cast<std::ptrdiff_t>(begin_[r + 1]),
              [&](std::uint32_t a, std::uint32_t b) {
                const double x = table.threads[a].load_s, y = table.threads[b].load_s;
                return x != y ? x < y : a < b;
              });
  }
  load_s_.reserve(threads_.size());
  for (const std::uint32_t i : threads_) load_s_.push_back(table.threads[i].load_s);
  up_.resize(threads_.size() + 1);
  std::iota(up_.begin(), up_.end(), 0);
  down_ = up_;
}

std::size_t SizeIndex::first_at_least(std::int32_t rank, double load_s) const {
  const auto r = static_cast<std::size_t>(rank);
  const auto begin = load_s_.begin() + static_cast<std::ptrdiff_t>(begin_[r]);
  const auto end = load_s_.begin() + static_cast<std::ptrdiff_t>(begin_[r + 1]);
  return static_cast<std::size_t>(std::lower_bound(begin, end, load_s) - load_s_.begin());
}

std::size_t SizeIndex::up(std::int32_t rank, std::size_t place) {
  place = find(up_, place);
  return place < begin_[static_cast<std::size_t>(rank) + 1] ? place : kNone;
}

// down_[p + 1] stands for place p, so that there is something below the first.
std::size_t SizeIndex::down(std::int32_t rank, std::size_t end) {
  const std::size_t place = find(down_, end);
  return place > begin_[static_cast<std::size_t>(rank)] ? place - 1 : kNone;
}

std::size_t SizeIndex::at_least(std::int32_t rank, double load_s) {
  return up(rank, first_at_least(rank, load_s));
}

std::size_t SizeIndex::below(std::int32_t rank, double load_s) {
  return down(rank, first_at_least(rank, load_s));
}

std::size_t SizeIndex::above(std::int32_t rank, std::size_t place) { return up(rank, place + 1); }

std::size_t SizeIndex::before(std::int32_t rank, std::size_t place) { return down(rank, place); }

void SizeIndex::take_out(std::size_t place) {
  up_[place] = static_cast<std::uint32_t>(place + 1);
  down_[place + 1] = static_cast<std::uint32_t>(place);
}

}  // namespace roam::balance
