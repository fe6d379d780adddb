#include "isomalloc/range_pool.h"

#include <algorithm>
#include <cerrno>

#include "base/check.h"

namespace roam::iso {

RangePool& pool(Region region) {
  static RangePool slots(Region::kSlots);
  static RangePool heap(Region::kHeap);
  return region == Region::kSlots ? slots : heap;
}

void RangePool::add(const LeaseRun& run) {
  const Range range = arena().lease_range(run);
  insert(range);
  free_bytes_ += range.bytes;
  // An eighth of what the rank started with: asked for long before it ends.
  low_water_ = std::max(low_water_, range.bytes / 8);
}

void RangePool::erase(std::map<Address, std::size_t>::iterator it) {
  by_size_.erase({it->second, it->first});
  clean_.erase(it);
}

void RangePool::insert(Range range) {
  auto next = clean_.lower_bound(range.begin);
  if (next != clean_.begin()) {
    auto before = std::prev(next);
    ROAM_CHECK(before->first + before->second <= range.begin, "range %p + %zu is freed twice",
               range.pointer(), range.bytes);
    if (before->first + before->second == range.begin) {
      range = Range{before->first, before->second + range.bytes};
      erase(before);
    }
  }
  next = clean_.lower_bound(range.begin);
  if (next != clean_.end()) {
    ROAM_CHECK(range.end() <= next->first, "range %p + %zu is freed twice", range.pointer(),
               range.bytes);
    if (next->first == range.end()) {
      range.bytes += next->second;
      erase(next);
    }
  }
  clean_.emplace(range.begin, range.bytes);
  by_size_.emplace(range.bytes, range.begin);
}

std::optional<Range> RangePool::take_clean(std::size_t bytes) {
  auto it = by_size_.lower_bound({bytes, 0});
  if (it == by_size_.end()) return std::nullopt;
  const Range found{it->second, it->first};
  erase(clean_.find(found.begin));
  if (found.bytes > bytes) {
    clean_.emplace(found.begin + bytes, found.bytes - bytes);
    by_size_.emplace(found.bytes - bytes, found.begin + bytes);
  }
  return Range{found.begin, bytes};
}

std::optional<RangePool::Allocation> RangePool::allocate(std::size_t bytes) {
  if (bytes > arena().region(region_).bytes) {
    errno = ENOMEM;
    return std::nullopt;
  }
  if (auto it = kept_.find(bytes); it != kept_.end() && !it->second.empty()) {
    const Kept kept = it->second.back();
    it->second.pop_back();
    kept_bytes_ -= kept.in_use;
    free_bytes_ -= bytes;
    arena().unseal(Range{kept.begin, bytes});
    return Allocation{Range{kept.begin, bytes}, false};
  }
  std::optional<Range> range = take_clean(bytes);
  if (!range && !kept_.empty()) {
    trim(0);
    range = take_clean(bytes);
  }
  if (!range && refill(bytes)) range = take_clean(bytes);
  if (!range) {
    errno = ENOMEM;
    return std::nullopt;
  }
  if (!arena().open(*range)) {
    insert(*range);
    errno = ENOMEM;
    return std::nullopt;
  }
  free_bytes_ -= bytes;
  arena().unseal(*range);
  return Allocation{*range, true};
}

bool RangePool::refill(std::size_t bytes) {
  if (source_ == nullptr) return false;
  const std::size_t lease = arena().lease_bytes();
  const auto run = source_->request(region_, (bytes + lease - 1) / lease);
  if (run) add(*run);
  return run.has_value();
}

void RangePool::free(Range range, std::size_t bytes_in_use) {
  free_bytes_ += range.bytes;
  if (bytes_in_use > keep_bytes_) {
    arena().discard(range);
    insert(range);
    return;
  }
  kept_[range.bytes].push_back({range.begin, range.bytes, bytes_in_use});
  kept_bytes_ += bytes_in_use;
  // A quarter at a time, so that a rank at the limit does not pay at each free.
  if (kept_bytes_ > keep_bytes_) trim(keep_bytes_ / 4 * 3);
}

void RangePool::trim(std::size_t bytes) {
  std::vector<Range> dropped;
  while (kept_bytes_ > bytes || bytes == 0) {
    bool any = false;
    for (auto it = kept_.begin(); it != kept_.end();) {
      std::vector<Kept>& list = it->second;
      // The older half of each size goes.
      const std::size_t drop = (list.size() + 1) / 2;
      for (std::size_t i = 0; i < drop; ++i) {
        dropped.push_back(Range{list[i].begin, list[i].bytes});
        kept_bytes_ -= list[i].in_use;
      }
      any = any || drop != 0;
      list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(drop));
      it = list.empty() ? kept_.erase(it) : std::next(it);
    }
    if (!any) break;
  }
  // Neighbours with one call: that costs a quarter of a call each.
  std::sort(dropped.begin(), dropped.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  for (std::size_t i = 0; i < dropped.size();) {
    Range run = dropped[i];
    for (++i; i < dropped.size() && dropped[i].begin == run.end(); ++i)
      run.bytes += dropped[i].bytes;
    arena().discard(run);
    insert(run);
  }
}

bool RangePool::take(Range range) {
  // A kept range may cover it: only clean ones can be cut.
  if (!kept_.empty()) trim(0);
  auto it = clean_.upper_bound(range.begin);
  if (it == clean_.begin()) return false;
  --it;
  const Range found{it->first, it->second};
  if (found.end() < range.end()) return false;
  if (!arena().open(range)) return false;
  erase(it);
  if (found.begin < range.begin) insert(Range{found.begin, range.begin - found.begin});
  if (range.end() < found.end()) insert(Range{range.end(), found.end() - range.end()});
  free_bytes_ -= range.bytes;
  arena().unseal(range);
  return true;
}

bool RangePool::take_or_claim(Range range) {
  if (take(range)) return true;
  if (source_ == nullptr || !source_->claim(range)) return false;
  if (arena().open(range)) return true;
  insert(range);
  free_bytes_ += range.bytes;
  return false;
}

void RangePool::clear() {
  clean_.clear();
  by_size_.clear();
  kept_.clear();
  free_bytes_ = kept_bytes_ = low_water_ = 0;
}

}  // namespace roam::iso
