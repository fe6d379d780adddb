#ifndef ROAM_ISOMALLOC_LAYOUT_H_
#define ROAM_ISOMALLOC_LAYOUT_H_

#include <cstddef>

#include "base/range.h"

namespace roam::iso {

// The arena's grain: every range that is handed out is whole units, and begins at one.
inline constexpr std::size_t kUnitBytes = 64 << 10;

// The arena is cut in four: the control region, which belongs to the node and never moves; slots;
// spans of heaps; and explicit blocks. So a single comparison tells the kind of a pointer, on every
// rank, wherever the memory is.
enum class Region : int { kSlots = 0, kHeap = 1, kBlocks = 2 };
inline constexpr int kRegions = 3;

// A run of `count` leases from `first`, of one region.
struct LeaseRun {
  Region region = Region::kSlots;
  std::size_t first = 0;
  std::size_t count = 0;
};

// Which addresses of the arena are for what: the same on every rank of the job. Arithmetic only.
//
//   base                                                                             base + bytes
//   | control | slot leases ...      | heap leases ...          | block leases ...              |
//
//   control: | unit map | node page | node room | a flag a lease |
class Layout {
 public:
  constexpr Layout() = default;
  explicit Layout(Range whole) : whole_(whole) {}
  // Fixes the lease size, which follows from the arena and the number of ranks, and cuts.
  void set_ranks(int ranks);

  Range whole() const { return whole_; }
  bool contains(const void* p) const { return whole_.contains(p); }
  bool contains(Address a) const { return whole_.contains(a); }
  std::size_t offset(Address a) const { return a - whole_.begin; }
  std::size_t units() const { return whole_.bytes / kUnitBytes; }
  std::size_t unit_of(Address a) const { return offset(a) / kUnitBytes; }
  Range region(Region r) const { return regions_[static_cast<int>(r)]; }

  std::size_t lease_bytes() const { return lease_bytes_; }
  std::size_t lease_count(Region r) const { return region(r).bytes / lease_bytes_; }
  Range lease_range(const LeaseRun& run) const;
  // Leases counted from the arena's begin, over all regions and the control region.
  std::size_t all_leases() const { return whole_.bytes / lease_bytes_; }
  std::size_t lease_of(Address a) const { return offset(a) / lease_bytes_; }
  Range lease(std::size_t index) const {
    return Range{whole_.begin + index * lease_bytes_, lease_bytes_};
  }
  // What is opened at once of a lease of another node.
  std::size_t chunk_bytes() const { return chunk_bytes_; }
  // Address space below each slot that belongs to it and faults; Guards sees to it. 1 MiB, less
  // where the arena is smaller than 1 TiB.
  std::size_t fence_bytes() const { return fence_bytes_; }

  // Room in the control region for what lies above, at the same address on every rank, shared in
  // the node, zeroed.
  static constexpr std::size_t kNodeRoomBytes = 1 << 20;
  Range control() const { return control_; }
  std::size_t node_page_offset() const;
  void* unit_map() const { return whole_.pointer(); }
  void* node_page() const { return at(node_page_offset()); }
  void* node_room() const { return at(node_page_offset() + kPageBytes); }
  void* lease_flags() const { return at(node_page_offset() + kPageBytes + kNodeRoomBytes); }

 private:
  void* at(std::size_t offset) const { return reinterpret_cast<void*>(whole_.begin + offset); }

  Range whole_;
  Range control_;
  Range regions_[kRegions];
  std::size_t lease_bytes_ = 0;
  std::size_t chunk_bytes_ = 0;
  std::size_t fence_bytes_ = 0;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_LAYOUT_H_
