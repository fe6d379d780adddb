#include "threads/child.h"

#include <unordered_map>

#include "base/text.h"
#include "isomalloc/frees_of_others.h"
#include "isomalloc/range_pool.h"
#include "isomalloc/turns.h"
#include "roam/error.h"
#include "threads/errands.h"
#include "threads/slots.h"

namespace roam::threads {

constinit bool is_child = false;
ChildHooks child_hooks;

namespace {

// Looks at control blocks by reading the node's memory: what is of other ranks need not be usable
// here, and may go while it is looked at.
class Owners {
 public:
  // Whether the thread whose control block is, or was, at `t` is on this rank. Of what an ended
  // thread left: whether who joined it is.
  bool is_ours(const Tcb* t) {
    if (const auto it = known_.find(t); it != known_.end()) return it->second;
    const Tcb* of = t;
    bool ours = false;
    alignas(Tcb) unsigned char copy[sizeof(Tcb)];
    for (int steps = 0; of != nullptr && steps < kMostHolders; ++steps) {
      const Address unit = round_down(reinterpret_cast<Address>(of), iso::kUnitBytes);
      if (!iso::arena().region(iso::Region::kSlots).contains(unit) ||
          detail::tcb_of_head_unit(unit) != of ||
          !iso::arena().read(reinterpret_cast<Address>(of), copy, sizeof copy))
        break;
      const Tcb* seen = reinterpret_cast<const Tcb*>(copy);
      ours = seen->id.load(std::memory_order_relaxed) != 0 &&
             seen->rank.load(std::memory_order_relaxed) == scheduler().rank();
      of = seen->holder;
    }
    known_[t] = ours;
    return ours;
  }

 private:
  static constexpr int kMostHolders = 100;
  std::unordered_map<const Tcb*, bool> known_;
};

}  // namespace

void refuse_in_child(const char* call) {
  if (!is_child) return;
  throw Error(Errc::not_in_thread,
              text("%s: this process was made by fork and takes no part in the job; nothing was "
                   "changed. Let it compute, write or exec, and pass results on by a pipe or a "
                   "file.",
                   call));
}

iso::Arena::ChildMemory memory_of_rank() {
  iso::Arena::ChildMemory found;
  Owners owners;
  iso::arena().for_each_live([&](Range range, iso::UnitKind kind) {
    bool ours = false;
    switch (kind) {
      case iso::UnitKind::kSlot:
      case iso::UnitKind::kRemains:
        ours = owners.is_ours(detail::tcb_of_head_unit(range.end() - iso::kUnitBytes));
        break;
      case iso::UnitKind::kSpan: {
        alignas(iso::Span) unsigned char copy[sizeof(iso::Span)];
        const iso::Span* span = reinterpret_cast<const iso::Span*>(copy);
        ours = iso::arena().read(reinterpret_cast<Address>(iso::Span::at(range.begin)), copy,
                                 sizeof copy) &&
               owners.is_ours(detail::tcb_of_heap(span->heap.load(std::memory_order_relaxed)));
        break;
      }
      case iso::UnitKind::kBlock:
        ours = true;
        break;
      default:
        break;
    }
    if (ours) found.add(range);
  });
  return found;
}

bool become_child(Tcb* forker, const iso::Arena::ChildMemory* shared) {
  is_child = true;
  on_rank_thread = iso::frees_at_once = false;
  errands.store(kClosed, std::memory_order_relaxed);  // nobody runs here who could do them
  iso::turns_in_child();
  if (shared != nullptr && !iso::arena().move_to_child(*shared)) return false;
  for (int r = 0; r < iso::kRegions; ++r) {
    iso::RangePool& pool = iso::pool(static_cast<iso::Region>(r));
    pool.set_source(nullptr);
    if (shared != nullptr) pool.memory_is_gone();
  }
  if (forker != nullptr) {
    forker->active_heap = nullptr;  // from now on it allocates as plain code does
    Slots::guard(forker->slot);
  }
  scheduler().end_with(child_hooks.host);
  if (child_hooks.begin != nullptr) child_hooks.begin();
  return true;
}

}  // namespace roam::threads
