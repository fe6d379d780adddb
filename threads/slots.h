#ifndef ROAM_THREADS_SLOTS_H_
#define ROAM_THREADS_SLOTS_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "base/range.h"
#include "base/sanitizers.h"
#include "isomalloc/arena.h"
#include "threads/own_threads.h"
#include "threads/tcb.h"

namespace roam::threads {

using detail::Tcb;

// The slots of one rank's threads, each a stack with its control block above (tcb.h): where they
// are made, where those of ended threads rest to be used again, and who is in them.
class Slots {
 public:
  // A context begins at `entry`, which does not return: it runs one thread after the other.
  explicit Slots(void (*entry)()) : entry_(entry) {}
  void start(int rank) {
    rank_ = rank;
    own_.start(iso::arena().region(iso::Region::kSlots));
  }

  // ---- making and ending ----

  // A control block on a stack of at least `stack_bytes`, in state kBlocked, its heap ready.
  // Errors: Error(bad_option, out_of_address_space, out_of_memory); nothing was made.
  Tcb* make(std::size_t stack_bytes, std::string_view name);
  // Cuts a name that lies in the heap of `t`, which has ended, and frees it there.
  // REQUIRES: t->long_name != nullptr
  static void shorten_name(Tcb* t);
  // Gives the slot of `t` back: it never ran, or has ended and left nothing. Its heap is at rest.
  void retire(Tcb* t);
  // Whether it would rest then, its context at the end of the entry's loop: so it may be retired
  // while its stack is still used, and nobody makes a thread in it before that is left.
  bool may_rest(const Tcb* t) const;
  // Of the slot of `t`, which has ended, all but the unit that its control block is in goes back to
  // this rank's pool, and with it all memory but the block's page.
  void shrink(Tcb* t);
  // Gives the memory of resting slots back, of all but `keep`.
  void drop_resting(std::size_t keep);
  // The address range of a slot, with the fence before it; those of the resting ones.
  static Range whole_range(Range slot);
  std::vector<Range> resting_ranges() const;

  // ---- slots that come from elsewhere ----

  // For a slot that is new here: its marks in the unit map, and the guard in this rank's mapping.
  static void mark(Range slot);
  static void guard(Range slot);
  // `t` was handed over by a rank of the node: nothing of it is sealed in this rank's mapping, and
  // its stack is guarded.
  static void welcome(Tcb* t);
  // Of one with a stack of so many. At least two units: the first and the last are marked
  // differently.
  static constexpr std::size_t bytes(std::size_t stack_bytes) {
    const std::size_t usable = round_up(stack_bytes * sanitizers::kStackFactor, kPageBytes);
    return std::max(round_up(Tcb::kGuardBytes + usable + kPageBytes, iso::kUnitBytes),
                    2 * iso::kUnitBytes);
  }

  // ---- who is in them ----

  std::size_t live_count() const { return live_; }  // threads that are on this rank
  void add_live(std::ptrdiff_t n) { live_ += static_cast<std::size_t>(n); }
  // `t` is on this rank from now on, or no more.
  void came(const Tcb* t) { own_.add(t); }
  void left(const Tcb* t) { own_.remove(t); }
  // Calls `visit` for each thread of this rank, in the order of addresses.
  void for_each(const std::function<void(const Tcb*)>& visit) const;

 private:
  Tcb* make_fresh(std::size_t bytes);
  void make_context(Tcb* t) const;
  static void give_back(Range slot);
  static bool is_shrunk(Range slot) { return slot.bytes == iso::kUnitBytes; }

  void (*entry_)();
  int rank_ = 0;
  std::size_t live_ = 0;
  OwnThreads own_;
  std::vector<Tcb*> resting_;  // of the default size
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_SLOTS_H_
