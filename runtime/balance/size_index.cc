#include "runtime/balance/size_index.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "runtime/balance/heavy_first.h"

namespace roam::balance {
namespace {

// The representative of `place`, whose path is halved on the way.
std::size_t find(std::vector<std::uint32_t>& next, std::size_t place) {
  while (next[place] != place) place = next[place] = next[next[place]];
  return place;
}

struct Entry {
  int size_class;
  std::uint64_t bytes;
  std::uint32_t thread;

  auto key() const { return std::tie(size_class, bytes, thread); }
};

bool counts(const ThreadLoad& t) { return !t.fixed && t.load_s > 0; }

}  // namespace

SizeIndex::SizeIndex(const LoadTable& table)
    : table_(table), begin_(table.ranks.size() + 1), sorted_(table.ranks.size()) {
  for (const ThreadLoad& t : table.threads) {
    if (counts(t)) ++begin_[static_cast<std::size_t>(t.rank) + 1];
  }
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  threads_.resize(begin_.back());
  std::vector<std::size_t> end(begin_);
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const ThreadLoad& t = table.threads[i];
    if (counts(t))
      threads_[end[static_cast<std::size_t>(t.rank)]++] = static_cast<std::uint32_t>(i);
  }
  classes_.resize(threads_.size());
  up_.resize(threads_.size() + 1);
  std::iota(up_.begin(), up_.end(), 0);
  down_ = up_;
}

void SizeIndex::sort(std::size_t rank) {
  sorted_[rank] = true;
  std::vector<Entry> entries;
  for (std::size_t place = begin_[rank]; place < begin_[rank + 1]; ++place) {
    const ThreadLoad& t = table_.threads[threads_[place]];
    entries.push_back({size_class(t.load_s), t.bytes, threads_[place]});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.key() < b.key(); });
  for (std::size_t i = 0; i < entries.size(); ++i) {
    threads_[begin_[rank] + i] = entries[i].thread;
    classes_[begin_[rank] + i] = entries[i].size_class;
  }
}

std::size_t SizeIndex::begin_of(std::int32_t rank, int size_class) const {
  const auto r = static_cast<std::size_t>(rank);
  const auto begin = classes_.begin() + static_cast<std::ptrdiff_t>(begin_[r]);
  const auto end = classes_.begin() + static_cast<std::ptrdiff_t>(begin_[r + 1]);
  return static_cast<std::size_t>(std::lower_bound(begin, end, size_class) - classes_.begin());
}

std::size_t SizeIndex::left_from(std::int32_t rank, std::size_t place, int size_class) {
  place = find(up_, place);
  const bool there = place < begin_[static_cast<std::size_t>(rank) + 1];
  return there && classes_[place] == size_class ? place : kNone;
}

int SizeIndex::class_up_to(std::int32_t rank, int size_class) {
  if (!sorted_[static_cast<std::size_t>(rank)]) sort(static_cast<std::size_t>(rank));
  const std::size_t above = find(down_, begin_of(rank, size_class + 1));
  return above > begin_[static_cast<std::size_t>(rank)] ? classes_[above - 1] : kNoClass;
}

std::size_t SizeIndex::cheapest(std::int32_t rank, int size_class) {
  return left_from(rank, begin_of(rank, size_class), size_class);
}

std::size_t SizeIndex::next(std::int32_t rank, std::size_t place) {
  return left_from(rank, place + 1, classes_[place]);
}

void SizeIndex::take_out(std::size_t place) {
  up_[place] = static_cast<std::uint32_t>(place + 1);
  down_[place + 1] = static_cast<std::uint32_t>(place);
}

}  // namespace roam::balance
