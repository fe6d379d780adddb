#include "runtime/image/landing.h"

#include <algorithm>
#include <limits>

#include "base/job_clock.h"
#include "base/ranges.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/heap.h"
#include "runtime/image/claims.h"
#include "threads/slots.h"

namespace roam::runtime {
namespace {

// From this length on fresh pages are made in bulk rather than by faults.
constexpr std::size_t kPopulateBytes = 64 << 10;

// Makes the pages of a long run. False: the kernel has no memory.
bool populate_run(Range run) {
  if (run.bytes < kPopulateBytes) return true;
  const Address begin = round_down(run.begin, kPageBytes);
  return iso::arena().populate(Range{begin, round_up(run.end(), kPageBytes) - begin});
}

// For `bytes` that come, and its address ranges, which are open then.
bool has_room(const Image& image, std::size_t bytes, std::string* why) {
  iso::Arena& arena = iso::arena();
  if (!arena.limit().left(bytes)) {
    *why = text("%s; the thread has %s", arena.limit().shortage().c_str(),
                bytes_text(image.bytes).c_str());
    return false;
  }
  for (const Mark& mark : image.marks) {
    if (arena.leases().open(mark.range)) continue;
    *why = "the kernel has no memory for the address range";
    return false;
  }
  return true;
}

// A unit of `range` in which something lives that is here; 0: none.
Address taken(Range range) {
  const iso::Arena& arena = iso::arena();
  for (Address a = range.begin; a < range.end(); a += iso::kUnitBytes) {
    const iso::UnitKind kind = arena.units().kind(a);
    if (kind != iso::UnitKind::kNone && !iso::is_away(kind)) return a;
  }
  return 0;
}

void unclaim(const Mark& mark) {
  iso::arena().discard(mark.range);
  iso::arena().units().unmark(mark.range);
}

}  // namespace

bool claim(const Image& image, bool* returns, ImageRefusal* refusal,
           const std::vector<Range>* fresh) {
  iso::Arena& arena = iso::arena();
  std::string* why = &refusal->why;
  refusal->code = Errc::out_of_memory;
  const std::size_t heap_bytes = heap_bytes_of(image);
  if (!arena.limit().charge(heap_bytes)) {
    *why = text("%s; the thread's heap has %s", arena.limit().shortage().c_str(),
                bytes_text(heap_bytes).c_str());
    return false;
  }
  if (!has_room(image, fresh == nullptr ? image.bytes : bytes_of(*fresh), why)) {
    arena.limit().uncharge(heap_bytes);
    return false;
  }
  // Runs come in the order of the marks that they lie in.
  std::size_t next_run = 0;
  bool populated = true;
  for (const Mark& mark : image.marks) {
    if (const Address unit = taken(mark.range); unit != 0) {
      *refusal = {Errc::address_in_use,
                  text("the image has 0x%zx bytes at 0x%zx, and something lives here at 0x%zx",
                       mark.range.bytes, mark.range.begin, unit)};
      std::for_each(image.marks.data(), &mark, unclaim);
      arena.limit().uncharge(heap_bytes);
      return false;
    }
    const iso::Claimed claimed = claim_range(mark.range);
    const bool kept = claimed == iso::Claimed::kAllKept;
    const bool stale = claimed != iso::Claimed::kNothingKept;
    if (mark.kind == kSlotMark) *returns = kept;
    // The kernel may put the bytes in place, whose accesses no handler mends: guards and fences of
    // slots that were here before go first.
    if (is_slot(mark)) threads::Slots::guard(mark.range);
    if (!kept && mark.kind == kLargeMark && mark.range.bytes >= iso::kHugeBlockBytes)
      arena.huge_pages().prefer(mark.range);
    Address sent_to = mark.range.begin;
    for (; next_run < image.runs.size() && mark.range.contains(image.runs[next_run].begin);
         ++next_run) {
      const Range run = image.runs[next_run];
      // What of a large block is not sent reads as zeros: memory of an earlier stay must not show
      // through.
      if (stale && mark.kind == kLargeMark && run.begin > sent_to)
        arena.discard(Range{sent_to, run.begin - sent_to});
      if (!kept && fresh == nullptr && populated) populated = populate_run(run);
      sent_to = run.end();
    }
    if (stale && mark.kind == kLargeMark) arena.discard(Range{sent_to, mark.range.end() - sent_to});
  }
  if (fresh != nullptr) populated = std::all_of(fresh->begin(), fresh->end(), populate_run);
  if (populated) return true;
  *why = text("the kernel has no memory for the %s of the thread", bytes_text(image.bytes).c_str());
  give_up(image);
  return false;
}

void give_up(const Image& image) {
  for (const Mark& mark : image.marks) unclaim(mark);
  iso::arena().limit().uncharge(heap_bytes_of(image));
}

detail::Tcb* land(const ImageHead& head, const Image& image, int rank) {
  iso::Arena& arena = iso::arena();
  const bool cold = head.what == ImageOf::kRemains;  // its context is not on its stack
  for (const Mark& mark : image.marks) {
    if (is_slot(mark)) {
      detail::Tcb* slot_owner = detail::tcb_of_slot(mark.range);
      slot_owner->rank.store(rank, std::memory_order_relaxed);
      slot_owner->cold = mark.kind == kCompanionMark || cold;
      threads::Slots::mark(mark.range);
    } else {
      arena.units().mark(mark.range, iso::UnitKind::kSpan);
      if (mark.kind == kLargeMark && mark.range.bytes >= iso::kHugeBlockBytes)
        iso::Span::at(mark.range.begin)->huge = true;
    }
  }
  detail::Tcb* t = head.control;
  if (t->deadline_ns != 0) {  // which may be the end of time
    constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
    const std::int64_t now = job_now_ns(), left = std::max<std::int64_t>(head.sleep_left_ns, 0);
    t->deadline_ns = left > kNever - now ? kNever : now + left;
  }
  reopen(t);
  return t;
}

void take_back(const Image& image) {
  for (const Mark& mark : image.marks) {
    if (is_slot(mark)) {
      threads::Slots::mark(mark.range);
    } else {
      iso::arena().units().mark(mark.range, iso::UnitKind::kSpan);
    }
  }
}

}  // namespace roam::runtime
