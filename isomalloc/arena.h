#ifndef ROAM_ISOMALLOC_ARENA_H_
#define ROAM_ISOMALLOC_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/options.h"
#include "base/range.h"
#include "isomalloc/core_parts.h"
#include "isomalloc/departures.h"
#include "isomalloc/guards.h"
#include "isomalloc/huge_pages.h"
#include "isomalloc/layout.h"
#include "isomalloc/leases.h"
#include "isomalloc/memory_limit.h"
#include "isomalloc/node_memory.h"
#include "isomalloc/node_page.h"
#include "isomalloc/seals.h"
#include "isomalloc/unit_map.h"

namespace roam::iso {

// The reserved address range, the same on every rank of the job, and this node's presence in it.
// Each part has its questions; what concerns several is here.
//
// One mapping, made once; nothing is mapped or unmapped per thread. A pointer to memory that is on
// another node faults. All calls: this rank's kernel thread only, unless noted.
class Arena {
 public:
  // Reserves the addresses. Before MPI_Init. Errors: Error(out_of_address_space) saying what is in
  // the way.
  void reserve(const Options& options);
  // Fixes the lease size, which follows from the arena and the number of ranks.
  void set_ranks(int ranks) { layout_.set_ranks(ranks); }

  // Makes the node's memory: the node's first rank creates, the others attach. `fd` of
  // create_shared is what others open through /proc/PID/fd. Errors: Error(system or out_of_memory).
  int create_shared();
  bool attach_shared(int pid, int fd, std::uint64_t token);  // false: cannot be reached
  void use_private();
  std::uint64_t token() const;  // of this node's memory, to see that others reached the right one
  bool ready() const { return ready_; }
  bool shared() const { return memory_.shared(); }
  int fd() const { return memory_.fd(); }

  const Layout& layout() const { return layout_; }
  Range whole() const { return layout_.whole(); }
  Range region(Region r) const { return layout_.region(r); }
  std::size_t lease_bytes() const { return layout_.lease_bytes(); }
  bool contains(const void* p) const { return layout_.contains(p); }
  std::size_t offset(Address a) const { return layout_.offset(a); }

  UnitMap& units() { return units_; }
  const UnitMap& units() const { return units_; }
  Departures& departures() { return departures_; }
  Leases& leases() { return leases_; }
  const Leases& leases() const { return leases_; }
  Seals& seals() { return seals_; }
  Guards& guards() { return guards_; }
  MemoryLimit& limit() { return limit_; }
  HugePages& huge_pages() { return huge_pages_; }

  // Takes a range for an image that arrives, as UnitMap::claim does; it is usable here from now on
  // where its leases are open.
  Claimed claim(Range range);
  // Gives back what is kept of `range`.
  void evict(Range range);

  // Makes `range`, of something that lives on this node, usable here. Ends the job if it cannot.
  void admit(Range range);
  // The same of what another rank of the node may be sending away just now: it reads as it was, or
  // as zeros, and does not fault. A load and a comparison while all that is open here is this
  // node's.
  void reach(Range range) {
    leases_.sync();
    if (seals_.any()) [[unlikely]]
      admit(range);
  }
  // The same of the unit with a thread's control block: this rank may once have had a slot's fence
  // there.
  void reach_head(Address unit) {
    const Range range{unit, kUnitBytes};
    reach(range);
    guards_.unguard(range);
  }
  // From the fault handler: makes what lives at `a` usable here if it faults because its lease is
  // closed, it is sealed, or another's guard or fence was there. False: it faults for another
  // reason.
  bool admit_for_fault(Address a);

  // Memory of `range`, whole pages: given back, so that it reads as zeros; and made to exist.
  void discard(Range range) { memory_.discard(range); }
  // Errors: false with errno, or when ROAM_MEMORY would be passed.
  bool populate(Range range);

  // Calls `visit` with each slot, span, block or remains that lives on this node and was here, in
  // order, from the region `from` on. Slow: it looks through the unit map. Context: any kernel
  // thread.
  void for_each_live(const std::function<void(Range, UnitKind)>& visit,
                     Region from = Region::kSlots) const;
  // What the node's memory holds at `from`, whether or not it is usable in this rank's mapping.
  // REQUIRES: shared(). Context: any kernel thread.
  bool read(Address from, void* to, std::size_t bytes) const {
    return memory_.read(from, to, bytes);
  }
  // In a child of fork, to which the node's memory still belongs as it does to the parent: from now
  // on the arena is the child's alone, with copies of `memory`; all else faults. REQUIRES:
  // shared(); nothing of the arena is in use, the caller's stack included. Allocates nothing.
  // Errors: false with errno.
  struct ChildMemory {
    std::vector<Range> ranges;    // as for_each_live() finds them
    std::vector<UnitKind> kinds;  // of their units
    void add(Range range);
  };
  bool move_to_child(const ChildMemory& memory);

  // See core_parts.h.
  CoreParts include_in_core(std::size_t most_runs = kMostCoreRuns) const;

  // For tests: gives everything back.
  void release();

 private:
  void start();
  void start_mapping();

  // First, since each free looks into it.
  Layout layout_;
  NodeMemory memory_;
  NodePage* node_ = nullptr;
  bool reserved_ = false;
  bool ready_ = false;
  UnitMap units_;
  Departures departures_;
  Leases leases_;
  Seals seals_;
  Guards guards_;
  MemoryLimit limit_;
  HugePages huge_pages_;
};

// This rank's arena.
extern constinit Arena the_arena;
inline Arena& arena() { return the_arena; }
// Its region for heaps, at hand for each free; empty while there is none.
extern constinit Range heap_region;

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_ARENA_H_
