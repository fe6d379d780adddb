#include "threads/slots.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/sanitizers.h"
#include "base/text.h"
#include "isomalloc/range_pool.h"
#include "roam/error.h"
#include "threads/companions.h"
#include "threads/context.h"

namespace roam::threads {

using detail::State;

namespace {

constexpr std::size_t kDefaultSlotBytes = Slots::bytes(256 << 10);
// Slots of ended threads that rest with their contexts ready to run again.
constexpr std::size_t kMostResting = 1024;
// How much memory a resting slot is assumed to hold when its memory is to be given back.
constexpr std::size_t kSlotInUse = 4 * kPageBytes;

// The next slot to be used again is in the cache by then.
void prefetch_resting(const Tcb* t) {
  const char* at = reinterpret_cast<const char*>(t);
  for (std::size_t line = 0; line < 5; ++line) __builtin_prefetch(at + line * 64, 1);
  __builtin_prefetch(at - 64, 1);
}

}  // namespace

void Slots::make_context(Tcb* t) const {
  const Range stack = t->stack();
  t->context = threads::make_context(reinterpret_cast<void*>(stack.end()), stack.bytes, entry_);
}

void Slots::mark(Range slot) {
  if (is_shrunk(slot)) {
    iso::arena().units().mark(slot, iso::UnitKind::kRemains);
    return;
  }
  iso::arena().units().mark(slot, iso::UnitKind::kSlot);
  iso::arena().units().set_kind(slot.end() - iso::kUnitBytes, iso::UnitKind::kSlotHead);
}

void Slots::welcome(Tcb* t) {
  iso::Arena& arena = iso::arena();
  arena.leases().sync();
  if (arena.seals().any()) {
    arena.admit(t->slot);
    t->heap.for_each_span([&](const iso::Span& span) { arena.admit(span.range()); });
    for_each_companion(t, [&](const Tcb* c) { arena.admit(c->slot); });
  }
  for_each_companion(t, [&](const Tcb* c) {
    arena.guards().unguard(Range{c->slot.end() - iso::kUnitBytes, iso::kUnitBytes});
  });
  guard(t->slot);
}

// What is below a shrunk slot belongs to others.
void Slots::guard(Range slot) {
  if (is_shrunk(slot)) {
    iso::arena().guards().unguard(slot);
  } else {
    iso::arena().guards().guard_slot(slot, Tcb::kGuardBytes);
  }
}

Tcb* Slots::make(std::size_t stack_bytes, std::string_view name) {
  const Range room = iso::arena().region(iso::Region::kSlots);
  if (stack_bytes > room.bytes / 2) {
    throw Error(Errc::bad_option,
                text("SpawnOptions::stack_bytes is %zu; at most half of the arena's %zu bytes for "
                     "stacks can be one stack",
                     stack_bytes, room.bytes));
  }
  if (!iso::arena().limit().left(2 * kPageBytes)) {
    throw Error(Errc::out_of_memory,
                text("no memory for another thread: %s", iso::arena().limit().shortage().c_str()));
  }
  const std::size_t bytes = Slots::bytes(stack_bytes);
  Tcb* t;
  if (bytes == kDefaultSlotBytes && !resting_.empty()) {
    t = resting_.back();
    resting_.pop_back();
    if (!resting_.empty()) prefetch_resting(resting_.back());
    if (t->cold) [[unlikely]] {
      make_context(t);
    } else {
      inherit_floating_point(t->context);
    }
    t->heap.restart();
  } else {
    t = make_fresh(bytes);
  }
  // The context is kept: it waits at the end of the entry's loop for the next body.
  t->active_heap = &t->heap;
  t->exceptions = {nullptr, 0};
  t->saved_errno = 0;
  t->rank.store(rank_, std::memory_order_relaxed);
  t->state = State::kBlocked;
  t->has_joiners = t->woken = t->cold = t->is_root = t->in_wait = t->returns = t->brief =
      t->passed_over = t->loose = false;
  t->move_to = -1;
  t->destined = t->begins_anywhere = false;
  t->next = t->previous = nullptr;
  t->pins = t->static_inits = t->system_heaps = t->open_objects = t->locks = t->tied = 0;
  t->deadline_ns = 0;
  t->waits_for = nullptr;
  t->waits_at = nullptr;
  t->tied_to = nullptr;
  t->queue = nullptr;
  t->entry = nullptr;
  t->closure = nullptr;
  t->recent_companions = t->old_companions = t->next_companion = t->holder = nullptr;
  t->recent_companion_count = 0;
  t->hops = 0;
  t->run_ticks = 0;
  t->role = nullptr;
  t->arrived_ticks = 0;
  t->joiner = nullptr;
  t->answer = nullptr;
  t->long_name = nullptr;
  if (name.empty()) {
    t->short_name[0] = '\0';
  } else if (name.size() < sizeof t->short_name) {
    std::memcpy(t->short_name, name.data(), name.size());
    t->short_name[name.size()] = '\0';
  } else {
    char* copy = static_cast<char*>(t->heap.allocate(name.size() + 1));
    if (copy == nullptr) {
      retire(t);
      throw Error(Errc::out_of_memory, text("no memory for the thread's name of %zu bytes: %s",
                                            name.size(), iso::arena().limit().shortage().c_str()));
    }
    std::memcpy(copy, name.data(), name.size());
    copy[name.size()] = '\0';
    t->long_name = copy;
    t->short_name[0] = '\0';
  }
  return t;
}

// A thread on a range that is new here, or was given back.
Tcb* Slots::make_fresh(std::size_t bytes) {
  const std::size_t fence = iso::arena().layout().fence_bytes();
  const auto got = iso::pool(iso::Region::kSlots).allocate(fence + bytes);
  if (!got && iso::pool(iso::Region::kSlots).longest_clean() >= fence + bytes) {
    throw Error(Errc::out_of_memory,
                "the kernel has no memory to open the address range of a stack");
  }
  if (!got) {
    throw Error(Errc::out_of_address_space,
                text("no address range of %s is left for a stack. %zu threads are on this rank. "
                     "Make the arena larger "
                     "with ROAM_ARENA, or the stacks smaller.",
                     bytes_text(fence + bytes).c_str(), live_));
  }
  const Range slot{got->range.begin + fence, bytes};
  Tcb* t = detail::tcb_of_slot(slot);
  // Memory of an earlier thread may be kept here, where the fence of the last one was, and the rank
  // that kept it may be giving it back just now.
  iso::arena().claim(slot);
  // Others look for threads in slots: first the control block that was there before goes.
  iso::arena().units().mark(slot, iso::UnitKind::kSlot);
  guard(slot);
  std::memset(static_cast<void*>(t), 0, sizeof *t);
  mark(slot);
  sanitizers::stack_made(slot);
  t->slot = slot;
  make_context(t);
  t->heap.start(detail::head_room_of(t));
  return t;
}

bool Slots::may_rest(const Tcb* t) const {
  return t->slot.bytes == kDefaultSlotBytes && resting_.size() < kMostResting;
}

void Slots::shorten_name(Tcb* t) {
  const std::size_t length = sizeof t->short_name - 1;
  std::memcpy(t->short_name, t->long_name, length);
  t->short_name[length] = '\0';
  t->heap.free(const_cast<char*>(t->long_name));
  t->long_name = nullptr;
}

void Slots::retire(Tcb* t) {
  t->id.store(0, std::memory_order_release);
  t->state = State::kFree;
  if (may_rest(t)) {
    ROAM_CHECK(t->heap.at_rest(), "the heap of thread '%s', which has ended, holds something",
               t->name());
    guard(t->slot);  // it may have been another rank's before
    resting_.push_back(t);
    return;
  }
  give_back(t->slot);
}

// A stack that was made larger than usual may have been used deep: only its top is kept.
void Slots::give_back(Range slot) {
  sanitizers::stack_gone(slot);
  iso::RangePool& slots = iso::pool(iso::Region::kSlots);
  if (is_shrunk(slot)) {  // nobody asks for so little: its neighbours wait for it
    iso::arena().discard(slot);
    iso::arena().units().unmark(slot);
    slots.free(slot, 0);
    return;
  }
  if (slot.bytes > kDefaultSlotBytes)
    iso::arena().discard(Range{slot.begin, slot.bytes - kSlotInUse});
  iso::arena().units().unmark(slot);
  const std::size_t fence = iso::arena().layout().fence_bytes();
  slots.free(Range{slot.begin - fence, fence + slot.bytes}, kSlotInUse);
}

void Slots::shrink(Tcb* t) {
  const Range slot = t->slot;
  if (is_shrunk(slot)) return;
  sanitizers::stack_gone(slot);
  const Address head_page = round_down(reinterpret_cast<Address>(t), kPageBytes);
  iso::arena().discard(Range{slot.begin, head_page - slot.begin});
  t->slot = Range{slot.end() - iso::kUnitBytes, iso::kUnitBytes};
  mark(t->slot);
  const Range rest{slot.begin, slot.bytes - iso::kUnitBytes};
  iso::arena().units().unmark(rest);
  const std::size_t fence = iso::arena().layout().fence_bytes();
  iso::pool(iso::Region::kSlots).free(Range{rest.begin - fence, fence + rest.bytes}, 0);
}

void Slots::drop_resting(std::size_t keep) {
  while (resting_.size() > keep) {
    const Range slot = resting_.back()->slot;
    resting_.pop_back();
    give_back(slot);
  }
}

Range Slots::whole_range(Range slot) {
  const std::size_t fence = is_shrunk(slot) ? 0 : iso::arena().layout().fence_bytes();
  return Range{slot.begin - fence, fence + slot.bytes};
}

std::vector<Range> Slots::resting_ranges() const {
  std::vector<Range> ranges;
  for (const Tcb* t : resting_) ranges.push_back(whole_range(t->slot));
  return ranges;
}

void Slots::for_each(const std::function<void(const Tcb*)>& visit) const {
  own_.for_each([&](Address head_unit) {
    const Tcb* t = detail::tcb_of_head_unit(head_unit);
    if (t->id.load(std::memory_order_acquire) != 0 &&
        t->rank.load(std::memory_order_acquire) == rank_)
      visit(t);
  });
}

}  // namespace roam::threads
