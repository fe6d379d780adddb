#include "isomalloc/range_pool.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace roam::iso {

namespace {

// Ranges of up to so many bytes first rest by their size, so many of each: a range that is
// wanted again soon costs no search.
constexpr std::size_t kMostBySize = 1 << 20;
constexpr std::size_t kMostOfSize = 4;

}  // namespace

// Never destroyed: destructors of the program's statics may free what is theirs.
RangePool& pool(Region region) {
  static auto& slots = *new RangePool(Region::kSlots);
  static auto& heap = *new RangePool(Region::kHeap);
  static auto& blocks = *new RangePool(Region::kBlocks);
  return region == Region::kSlots ? slots : region == Region::kHeap ? heap : blocks;
}

void RangePool::add(const LeaseRun& run) {
  owner_ = pthread_self();
  const Range range = arena().layout().lease_range(run);
  arena().leases().own(range);
  clean_.insert(range);
  free_bytes_ += range.bytes;
  // An eighth of what the rank started with: asked for long before it ends.
  low_water_ = std::max(low_water_, range.bytes / 8);
}

std::optional<Range> RangePool::take_resting(std::size_t bytes) {
  if (const auto it = resting_.find(bytes); it != resting_.end() && !it->second.empty()) {
    const Resting found = it->second.back();
    it->second.pop_back();
    resting_bytes_ -= found.in_use;
    return found.range;
  }
  const std::optional<Range> range = resting_ranges_.take(bytes);
  if (range) resting_bytes_ -= bytes;
  return range;
}

// A slot whose thread ends may leave its last unit in use. Taken from above, the rest grows
// together with what is below, and the next slot ends where that unit begins.
std::optional<Range> RangePool::take_clean(std::size_t bytes) {
  return region_ == Region::kSlots ? clean_.take_last(bytes) : clean_.take(bytes);
}

std::optional<RangePool::Allocation> RangePool::allocate(std::size_t bytes) {
  if (bytes > arena().region(region_).bytes) {
    arena().limit().note_shortage(MemoryLimit::Shortage::kAddresses);
    errno = ENOMEM;
    return std::nullopt;
  }
  const auto allocated = [&](Range range, bool clean) {
    free_bytes_ -= bytes;
    arena().seals().unseal(range);
    return Allocation{range, clean};
  };
  std::optional<Range> range = take_resting(bytes);
  const bool resting = range.has_value();
  if (resting && !resting_closed_) [[likely]]
    return allocated(*range, false);
  if (!range) range = take_clean(bytes);
  if (!range && resting_bytes_ != 0) {
    trim(0);
    range = take_clean(bytes);
  }
  if (!range && refill(bytes)) range = take_clean(bytes);
  if (!range && source_ != nullptr && source_->collect(region_, bytes)) range = take_clean(bytes);
  if (!range) {
    arena().limit().note_shortage(MemoryLimit::Shortage::kAddresses);
    errno = ENOMEM;
    return std::nullopt;
  }
  if (!arena().leases().open(*range)) {
    clean_.insert(*range);
    arena().limit().note_shortage(MemoryLimit::Shortage::kKernel);
    errno = ENOMEM;
    return std::nullopt;
  }
  return allocated(*range, !resting);
}

bool RangePool::extend(Range range) {
  // Resting and clean parts may take turns; all must be there before any is taken.
  for (Address at = range.begin; at < range.end();) {
    Range part = resting_ranges_.holding(at);
    if (part.bytes == 0) part = clean_.holding(at);
    if (part.bytes == 0) return false;
    at = part.end();
  }
  if (!arena().leases().open(range)) return false;
  for (Address at = range.begin; at < range.end();) {
    Range part = resting_ranges_.holding(at);
    const bool resting = part.bytes != 0;
    if (!resting) part = clean_.holding(at);
    part = Range{at, std::min(part.end(), range.end()) - at};
    (resting ? resting_ranges_ : clean_).cut(part);
    if (resting) resting_bytes_ -= part.bytes;
    at = part.end();
  }
  free_bytes_ -= range.bytes;
  arena().seals().unseal(range);
  return true;
}

bool RangePool::refill(std::size_t bytes) {
  if (source_ == nullptr) return false;
  const std::size_t lease = arena().lease_bytes();
  const auto run = source_->request(region_, (bytes + lease - 1) / lease);
  if (run) add(*run);
  return run.has_value();
}

std::vector<Range> RangePool::give(std::size_t least, std::size_t bytes, std::size_t count) {
  if (longest_clean() < least && resting_bytes_ != 0) trim(0);
  std::vector<Range> given;
  if (longest_clean() < least) return given;
  while (bytes != 0 && given.size() < count && !clean_.empty()) {
    const Range largest = clean_.largest();
    const std::size_t part = round_down(std::min(largest.bytes, bytes), kUnitBytes);
    if (part == 0) break;
    // From the end that this rank comes to last.
    given.push_back(region_ == Region::kSlots ? Range{largest.begin, part}
                                              : Range{largest.end() - part, part});
    clean_.cut(given.back());
    free_bytes_ -= part;
    bytes -= part;
  }
  return given;
}

std::vector<Range> RangePool::give_pieces(std::size_t bytes,
                                          const std::function<bool(Range)>& leaves) {
  std::vector<Range> given = clean_.shorter_than(bytes);
  std::erase_if(given, [&](Range range) { return !leaves(range); });
  for (const Range& range : given) {
    clean_.cut(range);
    free_bytes_ -= range.bytes;
  }
  return given;
}

void RangePool::take_in(Range range) {
  arena().leases().own(range);
  clean_.insert(range);
  free_bytes_ += range.bytes;
}

void RangePool::take_over(const std::vector<Range>& ranges, std::size_t low_water) {
  owner_ = pthread_self();
  for (const Range& range : ranges) take_in(range);
  low_water_ = std::max(low_water_, low_water);
}

std::vector<Range> RangePool::all_free() const {
  std::vector<Range> ranges = clean_.by_age();
  const std::vector<Range> resting = resting_ranges_.by_age();
  ranges.insert(ranges.end(), resting.begin(), resting.end());
  for (const auto& [bytes, list] : resting_) {
    for (const Resting& r : list) ranges.push_back(r.range);
  }
  return ranges;
}

void RangePool::free(Range range, std::size_t bytes_in_use) {
  if (bytes_in_use != 0 && bytes_in_use <= keep_bytes_ &&
      (by_size_only(range.bytes) || range.bytes <= kMostBySize)) {
    std::vector<Resting>& list = resting_[range.bytes];
    if (by_size_only(range.bytes) || list.size() < kMostOfSize) {
      list.push_back({range, bytes_in_use});
      free_bytes_ += range.bytes;
      resting_bytes_ += bytes_in_use;
      keep_within_limit();
      return;
    }
  }
  free_behind(range, bytes_in_use);
}

void RangePool::free_behind(Range range, std::size_t bytes_in_use) {
  free_bytes_ += range.bytes;
  if (bytes_in_use == 0 || bytes_in_use > keep_bytes_) {
    if (bytes_in_use != 0) arena().discard(range);
    clean_.insert(range);
    return;
  }
  resting_ranges_.insert(range);
  resting_bytes_ += range.bytes;
  keep_within_limit();
}

// A quarter at a time, so that a rank at the limit does not pay at each free.
void RangePool::keep_within_limit() {
  if (resting_bytes_ > keep_bytes_) trim(keep_bytes_ / 4 * 3);
}

void RangePool::drop_oldest(std::size_t bytes, std::vector<Range>& dropped) {
  for (const Range& oldest : resting_ranges_.by_age()) {
    if (bytes == 0) return;
    const std::size_t drop = std::min(oldest.bytes, round_up(bytes, kUnitBytes));
    dropped.push_back(Range{oldest.end() - drop, drop});
    resting_ranges_.cut(dropped.back());
    resting_bytes_ -= drop;
    bytes -= std::min(bytes, drop);
  }
}

// Of what rests by size.
void RangePool::drop_older_halves(std::vector<Range>& dropped) {
  for (auto it = resting_.begin(); it != resting_.end();) {
    std::vector<Resting>& list = it->second;
    const std::size_t drop = (list.size() + 1) / 2;
    for (std::size_t i = 0; i < drop; ++i) {
      dropped.push_back(list[i].range);
      resting_bytes_ -= list[i].in_use;
    }
    list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(drop));
    it = list.empty() ? resting_.erase(it) : std::next(it);
  }
}

void RangePool::trim(std::size_t bytes) {
  std::vector<Range> dropped;
  if (resting_bytes_ > bytes) {
    // Of both kinds, as their shares are.
    const double share =
        static_cast<double>(resting_ranges_.bytes()) / static_cast<double>(resting_bytes_);
    const std::size_t much = resting_bytes_ - bytes;
    drop_oldest(static_cast<std::size_t>(static_cast<double>(much) * share), dropped);
    while (resting_bytes_ > bytes && !resting_.empty()) drop_older_halves(dropped);
    if (resting_bytes_ > bytes) drop_oldest(resting_bytes_ - bytes, dropped);
  }
  // Neighbours with one call: that costs a quarter of a call each.
  std::sort(dropped.begin(), dropped.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  for (std::size_t i = 0; i < dropped.size();) {
    Range run = dropped[i];
    for (++i; i < dropped.size() && dropped[i].begin == run.end(); ++i)
      run.bytes += dropped[i].bytes;
    arena().discard(run);
    clean_.insert(run);
  }
}

bool RangePool::take(Range range) {
  // Whatever rests is given back: it may cover the range, which has to be clean.
  if (resting_bytes_ != 0) trim(0);
  if (!clean_.holding(range.begin).contains(range.end() - 1) || !arena().leases().open(range))
    return false;
  clean_.cut(range);
  free_bytes_ -= range.bytes;
  arena().seals().unseal(range);
  return true;
}

bool RangePool::take_or_obtain(Range range) {
  if (take(range)) return true;
  if (source_ == nullptr || !source_->obtain(range)) return false;
  if (arena().leases().open(range)) {
    arena().seals().unseal(range);
    return true;
  }
  clean_.insert(range);
  free_bytes_ += range.bytes;
  return false;
}

bool RangePool::known_free(Address a) const {
  return owner_ == pthread_self() &&
         (clean_.holding(a).bytes != 0 || resting_ranges_.holding(a).bytes != 0);
}

void RangePool::clear() {
  clean_.clear();
  resting_ranges_.clear();
  resting_.clear();
  free_bytes_ = resting_bytes_ = low_water_ = 0;
  resting_closed_ = false;
}

}  // namespace roam::iso
