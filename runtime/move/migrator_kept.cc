// What a rank keeps of threads that left: their memory, for their return.

#include <x86intrin.h>

#include <algorithm>

#include "isomalloc/arena.h"
#include "runtime/move/migrator.h"

namespace roam::runtime {
namespace {

// Memory of a thread that has not come back for so long, some 20 ms in ticks of the time-stamp
// counter, is made to fault.
constexpr std::uint64_t kSealAfterTicks = 50'000'000;
// More departures than this are looked at as they come, in place of when the rank is idle.
constexpr std::size_t kMostUnsealed = 4096;
// Guards take 8 bytes of page table a page.
constexpr std::size_t kMostSealedWhole = std::size_t{1} << 30;

// Calls `visit` with what of `range` left with this record last: units may have come back since in
// another thread, or be what others have sent ahead.
template <class Visit>
void each_own(Range range, std::uint32_t record, Visit visit) {
  for (Address a = range.begin; a < range.end();) {
    Range run{a, 0};
    while (a < range.end() && iso::arena().departures().last(a) == record)
      a = round_down(a, iso::kUnitBytes) + iso::kUnitBytes;
    run.bytes = std::min(a, range.end()) - run.begin;
    if (run.bytes != 0)
      visit(run);
    else
      a = round_down(a, iso::kUnitBytes) + iso::kUnitBytes;
  }
}

}  // namespace

// The memory is kept for the thread's return, as far as there is room. Sealing it at once costs a
// system call a range: a thread that goes to and fro is spared that, until it has stayed away for a
// while.
//
// The answer may come late: the thread may have been back, and be leaving again, or have given
// memory to others that came here and left. Each unit knows with which departure it left last.
void Migrator::keep(Record& d, std::uint32_t transfer) {
  if (d.joiner.id == 0) listener_.departed(d.id, d.to, d.hops);
  for (const Mark& mark : d.image.marks) iso::arena().departures().keep(mark.range, transfer);
  iso::arena().limit().uncharge(heap_bytes_of(d.image));
  --leaving_;
  d.state = Record::State::kKept;
  d.kept_bytes = d.image.idle_bytes;
  for (const Range& run : d.image.runs) {
    d.kept_bytes += round_up(run.end(), kPageBytes) - round_down(run.begin, kPageBytes);
  }
  d.since_ticks = __rdtsc();
  kept_bytes_ += d.kept_bytes;
  d.older = newest_;
  d.newer = kNoRecord;
  (newest_ != kNoRecord ? records_[newest_].newer : oldest_) = transfer;
  newest_ = transfer;
  if (d.returns) {
    unsealed_.push_back({transfer, d.since_ticks});
    if (unsealed_.size() > kMostUnsealed) seal_old();  // a rank that is never idle
  } else {
    seal(transfer);
  }
  if (kept_bytes_ > keep_bytes_) evict(keep_bytes_ / 4 * 3);
}

// Takes a record off the list of the kept: it can be used again.
void Migrator::unkeep(std::uint32_t record) {
  Record& d = records_[record];
  (d.older != kNoRecord ? records_[d.older].newer : oldest_) = d.newer;
  (d.newer != kNoRecord ? records_[d.newer].older : newest_) = d.older;
  kept_bytes_ -= d.kept_bytes;
  d.state = Record::State::kUnused;
  unused_.push_back(record);
}

// The thread is back, or leaves again: what was noted of its earlier stay is in use, but for what
// it gave up meanwhile.
void Migrator::forget_kept(std::uint64_t id, const Tcb* t) {
  const std::uint32_t record = iso::arena().departures().last(t->slot.begin);
  if (record >= records_.size()) return;
  const Record& d = records_[record];
  if (d.state != Record::State::kKept || d.id != id) return;
  give_back(record);
}

void Migrator::give_back(std::uint32_t record) {
  for (const Mark& mark : records_[record].image.marks)
    each_own(mark.range, record, [](Range run) { iso::arena().evict(run); });
  unkeep(record);
}

// With what was never used: the thread may use it elsewhere. Of what is very large, only what was.
void Migrator::seal(std::uint32_t record) {
  const auto seal_own = [record](Range range) {
    each_own(range, record, [](Range run) { iso::arena().seals().seal(run); });
  };
  const std::vector<Range>& runs = records_[record].image.runs;
  std::size_t run = 0;  // they come in the order of the marks
  for (const Mark& mark : records_[record].image.marks) {
    const bool whole = mark.range.bytes <= kMostSealedWhole;
    if (whole) seal_own(mark.range);
    for (; run < runs.size() && mark.range.contains(runs[run].begin); ++run) {
      if (!whole) seal_own(runs[run]);
    }
  }
}

void Migrator::seal_old() {
  if (unsealed_.empty()) return;
  const std::uint64_t now = __rdtsc();
  for (; !unsealed_.empty() && now - unsealed_.front().since_ticks > kSealAfterTicks;
       unsealed_.pop_front()) {
    const auto [record, since_ticks] = unsealed_.front();
    const Record& d = records_[record];
    if (d.state == Record::State::kKept && d.since_ticks == since_ticks) seal(record);
  }
}

void Migrator::evict(std::size_t most_bytes) {
  while (oldest_ != kNoRecord && kept_bytes_ > most_bytes) {
    give_back(oldest_);
  }
}

}  // namespace roam::runtime
