#ifndef ROAM_ISOMALLOC_ARENA_H_
#define ROAM_ISOMALLOC_ARENA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/options.h"
#include "base/range.h"

namespace roam::iso {

// The arena's grain: every range that is handed out is whole units, and begins at one.
inline constexpr std::size_t kUnitBytes = 64 << 10;

// What a unit of the arena holds on this node. One byte a unit, in memory that the ranks of a node
// share.
enum class UnitKind : std::uint8_t {
  kNone = 0,    // nothing that is here: free, or away on another node
  kContinued,   // belongs to the range that begins in an earlier unit
  kSlot,        // first unit of a thread's slot
  kSlotHead,    // last unit of a slot: the control block is in it
  kSpan,        // first unit of a span of a thread's heap
  kBlock,       // first unit of an explicit block
  kFreedBlock,  // a block that was freed and rests before its range is handed out again
  kKept,        // its thread has left the node; the memory is kept for its return, and says nothing
  kEvicting,    // kept memory that is being given back just now
  kRemains,     // an ended thread's control block and what it left in its head room; no stack
  kLeaving = 16,  // from here on: its thread is on its way to another node, sent by the node's rank
                  // with the number that the rest says, and may still be refused there
};
// Whether a unit's memory is neither free nor in use: its thread is away.
constexpr bool is_away(UnitKind kind) {
  return kind == UnitKind::kKept || kind == UnitKind::kEvicting || kind >= UnitKind::kLeaving;
}

// The arena is cut in four: the control region, which belongs to the node and never moves; slots;
// spans of heaps; and explicit blocks. So a single comparison tells the kind of a pointer, on every
// rank, wherever the memory is.
//
//   base                                                                             base + bytes
//   | unit map | node page | slot leases ... | heap leases ...          | block leases ...      |
enum class Region : int { kSlots = 0, kHeap = 1, kBlocks = 2 };
inline constexpr int kRegions = 3;

// A run of `count` leases from `first`, of one region.
struct LeaseRun {
  Region region = Region::kSlots;
  std::size_t first = 0;
  std::size_t count = 0;
};

// The reserved address range, the same on every rank of the job, and this node's presence in it.
//
// One mapping, made once; nothing is mapped or unmapped per thread. A pointer to memory that is on
// another node faults. Of leases that a rank of this node hands out from, all is open but what left
// the node, which is sealed. Of other leases chunks of 2 MiB are opened when something of them is
// first here, and what of a chunk is not here is sealed. All calls: this rank's kernel thread only,
// unless noted.
class Arena {
 public:
  // Reserves the addresses. Before MPI_Init. Errors: Error(out_of_address_space) saying what is in
  // the way.
  void reserve(const Options& options);
  // Fixes the lease size, which follows from the arena and the number of ranks.
  void set_ranks(int ranks);

  // Makes the node's memory: the node's first rank creates, the others attach. `fd` of
  // create_shared is what others open through /proc/PID/fd. Errors: Error(system or out_of_memory).
  int create_shared();
  bool attach_shared(int pid, int fd, std::uint64_t token);  // false: cannot be reached
  void use_private();
  std::uint64_t token() const;  // of this node's memory, to see that others reached the right one
  bool reserved() const { return reserved_; }
  bool ready() const { return ready_; }
  bool shared() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  Range whole() const { return whole_; }
  Range region(Region r) const { return regions_[static_cast<int>(r)]; }
  std::size_t lease_bytes() const { return lease_bytes_; }
  std::size_t leases(Region r) const { return region(r).bytes / lease_bytes_; }
  Range lease_range(const LeaseRun& run) const;
  // For who looks from outside: one byte a lease of the arena, not 0 if it is open on this node.
  const void* lease_flags() const { return flags_; }
  // The same for what of it is open in this rank's mapping.
  const void* open_leases() const { return open_.data(); }
  bool contains(const void* p) const { return whole_.contains(p); }
  std::size_t offset(Address a) const { return a - whole_.begin; }

  // This rank hands out from `range`: leases of which it has all are opened whole.
  void own(Range range);
  // Another rank hands out from `range`, which is free and clean, from now on: what of it is open
  // here faults if that rank is of another node. Leases of which this rank has all are closed again
  // if nothing of them was used.
  void disown(Range range, bool other_node);
  // Makes `range` usable on this node if it is not. What lies beside it, and holds nothing that is
  // here, faults as before. Errors: false with ENOMEM.
  bool open(Range range);
  // Makes the leases that other ranks of the node opened usable here too: one load when there is
  // nothing new. Context: any kernel thread, as open().
  void sync() {
    if (node_->version.load(std::memory_order_acquire) !=
        __atomic_load_n(&synced_, __ATOMIC_RELAXED))
      sync_slow();
  }
  bool sync_slow();
  // The same for what lives at `a`, from a signal handler. False if nothing does, or it was usable.
  bool sync_for_fault(Address a);

  UnitKind kind(Address a) const {
    return static_cast<UnitKind>(unit(a).load(std::memory_order_acquire));
  }
  void set_kind(Address a, UnitKind kind) {
    unit(a).store(static_cast<std::uint8_t>(kind), std::memory_order_release);
  }
  // Marks a range of whole units: `first` for the first, kContinued for the rest.
  void mark(Range range, UnitKind first);
  void unmark(Range range);
  // First address of the range that the unit of `a` belongs to; 0 if the unit holds nothing.
  Address range_begin(Address a) const;

  // Memory whose thread leaves the node is marked kLeaving, and kept for its return once it has
  // left: keep() marks what has not come back meanwhile; evict() gives back what is still kept;
  // claim() takes a range for an image that arrives (its units become kContinued) and tells whether
  // all of it was kept. Any rank of the node may evict while another claims: each unit goes to one
  // of them.
  void set_node_rank(int node_rank) {
    leaving_ = static_cast<std::uint8_t>(static_cast<int>(UnitKind::kLeaving) +
                                         node_rank % (256 - static_cast<int>(UnitKind::kLeaving)));
  }
  // `departure` numbers what leaves from this rank: a unit may have come back, in another thread,
  // and be leaving again when the first departure ends.
  void leave(Range range, std::uint32_t departure);
  // Number of the departure with which the unit of `a` left last; 0 if it never did.
  std::uint32_t last_departure(Address a) const { return departures_[offset(a) / kUnitBytes]; }
  void keep(Range range, std::uint32_t departure);
  void evict(Range range);
  enum class Claimed { kNothingKept, kSomeKept, kAllKept };
  Claimed claim(Range range);

  // Makes an access to kept memory fault in this rank's mapping, so that a pointer to a thread that
  // has left the node is noticed; and undoes that for memory that is in use again. unseal() costs a
  // comparison while nothing is sealed here. Does nothing where guards are not cheap.
  void seal(Range range);         // its pages, where their units are kept
  void seal_absent(Range range);  // whole units, where nothing that is here lives in them
  void unseal(Range range) {
    if (any_sealed()) [[unlikely]]
      unseal_slow(range);
  }
  // Whether memory that another rank of the node has may have to be admitted here.
  bool any_sealed() const { return __atomic_load_n(&sealed_units_, __ATOMIC_RELAXED) != 0; }
  // Makes `range`, of something that lives on this node, usable here. Ends the job if it cannot.
  void admit(Range range);
  // The same of what another rank of the node may be sending away just now: it reads as it was, or
  // as zeros, and does not fault. A load and a comparison while all that is open here is this
  // node's.
  void reach(Range range) {
    sync();
    if (any_sealed()) [[unlikely]]
      admit(range);
  }
  // The same of the unit with a thread's control block: this rank may once have had a slot's fence
  // there.
  void reach_head(Address unit) {
    const Range range{unit, kUnitBytes};
    reach(range);
    unguard(range);
  }
  // From the fault handler: unseals the unit of `a` if it is sealed but holds something that lives.
  bool unseal_for_fault(Address a);

  // Memory of `range`, whole pages.
  void discard(Range range);
  // Errors: false with errno, or when ROAM_MEMORY would be passed.
  bool populate(Range range);
  // Makes new memory in `range` of huge pages in this rank's mapping, where the kernel allows it;
  // and undoes that. Each range that is set costs two mappings, so only so many are.
  void prefer_huge_pages(Range range);
  void prefer_small_pages(Range range);
  // The same for a range that was set as `old` and is `fresh` now. REQUIRES: both begin at one
  // address and hold a whole huge page.
  void resize_huge_pages(Range old, Range fresh);
  // ROAM_MEMORY, in two ways; what is kept for reuse is given back before either says no.
  // What heaps and isomalloc blocks of the node have is charged whole, touched or not, from when
  // they get it until they give it up or leave the node. False with ENOMEM: that would be too much.
  bool charge(std::size_t bytes) { return memory_limit_ == 0 || charge_slow(bytes); }
  void uncharge(std::size_t bytes) {
    if (memory_limit_ != 0) uncharge_slow(bytes);
  }
  std::size_t charged() const;
  // And the memory that the node really has, stacks and what is kept included: whether `bytes` more
  // stay below.
  bool memory_left(std::size_t bytes) { return memory_limit_ == 0 || memory_left_slow(bytes); }
  void set_reclaim(void (*reclaim)()) { reclaim_ = reclaim; }
  // Why this rank got no memory the last time that it got none, for a message.
  enum class Shortage : std::uint8_t { kNone, kLimit, kAddresses, kKernel };
  void note_shortage(Shortage shortage) { shortage_ = shortage; }
  std::string shortage() const;

  // Guards the first `guard_bytes` of `slot` in this rank's mapping, and takes away guards of
  // earlier slots inside it. What is guarded is remembered by unit: for a slot that was here
  // before, this is a few bit tests.
  void guard_slot(Range slot, std::size_t guard_bytes) {
    const std::size_t first = (slot.begin - regions_[0].begin) / kUnitBytes;
    const std::size_t units = slot.bytes / kUnitBytes;
    if (units > kMostUnitsAtOnce || !is_guarded_slot(first, units)) [[unlikely]]
      guard_slot_slow(slot, guard_bytes);
  }
  // Takes away what guards and fences of earlier slots are left in units that hold no slot's guard.
  // Costs a few bit tests where there are none.
  void unguard(Range range) {
    for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
      const std::size_t unit = (a - regions_[0].begin) / kUnitBytes;
      if (((guarded_[unit / 64] | fenced_[unit / 64]) >> (unit % 64) & 1) != 0) [[unlikely]]
        unguard_unit(unit);
    }
  }
  // From the fault handler: the same for the unit of `a` if something lives there. The guard of a
  // slot that begins there stays.
  bool unguard_for_fault(Address a);
  // Address space below each slot that belongs to it and faults; guard_slot sees to it. 1 MiB, less
  // where the arena is smaller than 1 TiB.
  std::size_t fence_bytes() const { return fence_bytes_; }
  // Calls `visit` with each slot, span, block or remains that lives on this node and was here, in
  // order. Slow: looks through the unit map. Context: any kernel thread.
  void for_each_live(const std::function<void(Range, UnitKind)>& visit) const;
  // What the node's memory holds at `from`, whether or not it is usable in this rank's mapping.
  // REQUIRES: shared(). Context: any kernel thread.
  bool read(Address from, void* to, std::size_t bytes) const;
  // In a child of fork, to which the node's memory still belongs as it does to the parent: from now
  // on the arena is the child's alone, with copies of `kept`; all else faults. REQUIRES: shared();
  // nothing of the arena is in use, the caller's stack included. Allocates nothing. Errors: false
  // with errno.
  struct Kept {
    std::vector<Range> ranges;    // as for_each_live() finds them
    std::vector<UnitKind> kinds;  // of their units
    void add(Range range);
  };
  bool keep_in_child(const Kept& kept);

  // Calls `visit` with the head unit of each slot on this node. Slow: looks through the unit map.
  void for_each_slot(const std::function<void(Address head_unit)>& visit) const;
  // True if a guard could not be laid: the budget of the fallback is spent.
  bool guards_missing() const { return guards_missing_; }

  // Nothing of the arena is in a core of this process, but what this adds: what lives on this node
  // now. Each run of it is two mappings, so where there are too many, runs that lie near each other
  // are added as one; if there still are, those that this rank hands out from come first. To be
  // called last before the process ends; in a signal handler too.
  struct CoreParts {
    std::size_t runs = 0;
    std::size_t bytes = 0;
    std::size_t left_out = 0;  // bytes
  };
  static constexpr std::size_t kMostCoreRuns = 16'000;
  CoreParts include_in_core(std::size_t most_runs = kMostCoreRuns);

  // Room in the control region, at the same address on every rank, shared in the node, zeroed. For
  // what lies above.
  static constexpr std::size_t kNodeRoomBytes = 1 << 20;
  void* node_room() const { return reinterpret_cast<char*>(node_) + kPageBytes; }

  // For tests: gives everything back.
  void release();

 private:
  struct NodePage {
    std::atomic<std::uint64_t> token;
    std::atomic<std::uint64_t> version;  // counts the leases that were opened
    std::atomic<std::uint64_t> foreign;  // 1 once something of another node's leases was here
    std::atomic<std::int64_t> charged;   // bytes, see charge()
  };
  std::atomic<std::uint8_t>& unit(Address a) const { return units_[offset(a) / kUnitBytes]; }
  std::size_t lease_of(Address a) const { return offset(a) / lease_bytes_; }
  std::size_t memory_used() const;
  bool memory_left_slow(std::size_t bytes);
  bool charge_slow(std::size_t bytes);
  bool try_charge(std::size_t bytes);
  void uncharge_slow(std::size_t bytes);
  bool reclaim();
  void note_limit();
  void note_sealed(Range run);
  void note_missing_guard();
  void unseal_slow(Range range);
  void guard_slot_slow(Range slot, std::size_t guard_bytes);
  // Bits of units from `first` on, wherever in a word they begin: at least kMostUnitsAtOnce.
  static constexpr std::size_t kMostUnitsAtOnce = 57;
  static std::uint64_t bits_from(const std::uint64_t* bits, std::size_t first) {
    std::uint64_t word;
    std::memcpy(&word, reinterpret_cast<const char*>(bits) + first / 8, sizeof word);
    return word >> (first % 8);
  }
  // Whether of these units of slots, kMostUnitsAtOnce or fewer, the first alone is guarded, and
  // none fenced.
  bool is_guarded_slot(std::size_t first, std::size_t units) const {
    const std::uint64_t mask = (std::uint64_t{1} << units) - 1;
    return (bits_from(guarded_, first) & mask) == 1 && (bits_from(fenced_, first) & mask) == 0;
  }
  bool is_guarded_long_slot(std::size_t first, std::size_t units) const;
  void fence(Range range);
  void unfence(Range range);
  void unguard_unit(std::size_t unit);
  bool unit_sealed(Address a) const;
  bool chunk_open(std::size_t chunk) const {
    return (chunks_[chunk / 64] >> (chunk % 64) & 1) != 0;
  }
  bool open_lease(std::size_t lease);
  void add_sealed(int n) { __atomic_fetch_add(&sealed_units_, n, __ATOMIC_RELAXED); }
  bool open_alone(Range range);  // by the only kernel thread that opens
  bool open_chunks(std::size_t first, std::size_t count, Range wanted);
  Range live_at(Address a) const;
  void lay_out();
  template <class F>
  void for_each_core_run(F run);

  Range whole_;
  Range regions_[kRegions];
  Range control_;
  std::size_t lease_bytes_ = 0;
  std::size_t memory_limit_ = 0;
  // Of what memory_used() says: when this rank looked last; what it has charged since; what the
  // process had before, where it is the process's.
  std::size_t seen_bytes_ = 0, unseen_bytes_ = 0, first_bytes_ = 0;
  void (*reclaim_)() = nullptr;
  bool reclaiming_ = false;
  Shortage shortage_ = Shortage::kNone;
  std::size_t shortage_used_ = 0;  // of the node's memory, then
  int fd_ = -1;
  bool reserved_ = false;
  bool ready_ = false;
  bool guards_missing_ = false;
  std::atomic<std::uint8_t>* units_ = nullptr;
  NodePage* node_ = nullptr;
  std::uint64_t synced_ = 0;
  std::atomic<std::uint8_t>* flags_ = nullptr;  // of the node: 1 if the lease is open as a whole
  std::vector<std::uint8_t> owned_;             // 1 if this rank hands out from the lease
  enum : std::uint8_t { kClosed, kSomeChunks, kWhole };
  std::vector<std::uint8_t> open_;   // of this rank: how much of each lease
  std::uint64_t* chunks_ = nullptr;  // one bit a chunk: open here, of leases that are not kWhole
  std::size_t chunks_bytes_ = 0;
  std::size_t chunk_bytes_ = 0;
  std::size_t islands_ = 0;  // runs of open chunks, about
  bool foreign_seen_ = false;
  std::uint8_t leaving_ = static_cast<std::uint8_t>(UnitKind::kLeaving);  // this rank's mark
  std::uint32_t* departures_ =
      nullptr;  // of each unit: the last that it left with; private to this rank
  std::size_t departures_bytes_ = 0;
  std::uint64_t* sealed_ = nullptr;  // one bit a unit of the arena; private to this rank
  std::size_t sealed_bytes_ = 0;
  std::size_t sealed_units_ = 0;  // one more once the node has something of foreign leases
  std::size_t huge_ranges_ = 0;
  bool huge_allowed_ = false;
  std::uint64_t* guarded_ = nullptr;  // one bit a unit of the slot region; private to this rank
  std::size_t guarded_bytes_ = 0;
  std::uint64_t* fenced_ = nullptr;  // the same of units that are below a slot, guarded whole
  std::size_t fence_bytes_ = 0;
  std::size_t guard_bytes_ = 0;  // of the slots that were guarded
};

// This rank's arena.
extern constinit Arena the_arena;
inline Arena& arena() { return the_arena; }
// Its region for heaps, at hand for each free; empty while there is none.
extern constinit Range heap_region;

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_ARENA_H_
