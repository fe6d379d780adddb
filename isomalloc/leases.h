#ifndef ROAM_ISOMALLOC_LEASES_H_
#define ROAM_ISOMALLOC_LEASES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/range.h"
#include "isomalloc/layout.h"
#include "isomalloc/node_page.h"
#include "isomalloc/seals.h"
#include "isomalloc/table.h"
#include "isomalloc/unit_map.h"

namespace roam::iso {

// Which addresses of the arena are usable in this rank's mapping. Of leases that a rank of this
// node hands out from, all is open but what left the node, which is sealed. Of other leases chunks
// of 2 MiB are opened when something of them is first here, and what of a chunk is not here is
// sealed. Context: the rank's kernel thread, unless noted.
class Leases {
 public:
  // `flags`: a zeroed byte a lease, which the node's ranks share. All objects outlive this one.
  // Errors: Error(out_of_memory).
  void start(const Layout& layout, const UnitMap* units, Seals* seals, NodePage* node,
             std::atomic<std::uint8_t>* flags);
  void release();
  // Nothing is owned or open any more. Allocates nothing.
  void wipe();

  // This rank hands out from `range`: leases of which it has all are opened whole.
  void own(Range range);
  // Another rank hands out from `range`, which is free and clean, from now on: what of it is open
  // here faults if that rank is of another node. Leases of which this rank has all are closed again
  // if nothing of them was used.
  void disown(Range range, bool other_node);
  bool owned(std::size_t lease) const { return owned_[lease] != 0; }

  // Makes `range` usable on this node if it is not. What lies beside it, and holds nothing that is
  // here, faults as before. Context: any kernel thread. Errors: false with ENOMEM.
  bool open(Range range);
  // Makes the leases that other ranks of the node opened usable here too: one load when there is
  // nothing new. Context: any kernel thread.
  void sync() {
    if (node_->version.load(std::memory_order_acquire) !=
        __atomic_load_n(&synced_, __ATOMIC_RELAXED))
      sync_slow();
  }
  // The same for what lives at `a`, from a signal handler. False if nothing does, or it was usable.
  bool sync_for_fault(Address a);

  // Nothing of it is open here.
  bool closed(std::size_t lease) const { return open_[lease] == kClosed; }
  bool usable(Address a) const {
    return open_[layout_->lease_of(a)] == kWhole || chunks_.test(chunk_of(a));
  }
  // For who looks from outside, a byte a lease of the arena: not 0 if it is open on this node; and
  // how much of it is in this rank's mapping, 0 for nothing.
  const void* node_flags() const { return flags_; }
  const void* rank_flags() const { return open_.data(); }

 private:
  bool sync_slow();
  bool open_lease(std::size_t lease);
  bool open_alone(Range range);  // by the only kernel thread that opens
  bool open_chunks(std::size_t first, std::size_t count, Range wanted);
  void seal_beside(std::size_t chunk, Range wanted);
  void see_foreign();
  std::size_t chunk_of(Address a) const { return layout_->offset(a) / layout_->chunk_bytes(); }
  Range chunk_range(std::size_t chunk) const {
    return Range{layout_->whole().begin + chunk * layout_->chunk_bytes(), layout_->chunk_bytes()};
  }

  const Layout* layout_ = nullptr;
  const UnitMap* units_ = nullptr;
  Seals* seals_ = nullptr;
  NodePage* node_ = nullptr;
  std::atomic<std::uint8_t>* flags_ = nullptr;  // of the node: 1 if the lease is open as a whole
  std::uint64_t synced_ = 0;                    // the node's version that this rank has followed
  Table<std::uint8_t> owned_;                   // 1 if this rank hands out from the lease
  enum : std::uint8_t { kClosed, kSomeChunks, kWhole };
  Table<std::uint8_t> open_;  // of this rank: how much of each lease
  BitTable chunks_;           // open here, of leases that are not kWhole
  std::size_t islands_ = 0;   // runs of open chunks, about
  bool foreign_seen_ = false;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_LEASES_H_
