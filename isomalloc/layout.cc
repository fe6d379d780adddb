#include "isomalloc/layout.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "isomalloc/lease_cut.h"

namespace roam::iso {
namespace {

// Leases that are open cost two mappings each, and a process may have 65,530.
constexpr std::size_t kMostLeases = 8192;
constexpr std::size_t kLeastLeaseBytes = 1 << 20;
// So much of another node's lease has one page of page tables.
constexpr std::size_t kMostChunkBytes = 2 << 20;
// Below each slot, so that a frame that is larger than the guard does not reach another's stack.
constexpr std::size_t kMostFenceBytes = 1 << 20;
constexpr std::size_t kSlotsWithFence = std::size_t{1} << 17;

}  // namespace

void Layout::set_ranks(int ranks) {
  const std::size_t want =
      std::max<std::size_t>(kMostLeases, kLeasesARank * static_cast<std::size_t>(ranks));
  lease_bytes_ = std::max(kLeastLeaseBytes, std::bit_floor(whole_.bytes / want));
  const std::size_t room =
      node_page_offset() + kPageBytes + kNodeRoomBytes + round_up(all_leases(), kPageBytes);
  control_ = Range{whole_.begin, round_up(room, lease_bytes_)};
  // A quarter for slots: 12 TiB of them are 9 million default stacks.
  const std::size_t all =
      control_.bytes < whole_.bytes ? (whole_.bytes - control_.bytes) / lease_bytes_ : 0;
  ROAM_CHECK(all >= kRegions, "ROAM_ARENA is too small: %zu leases of %zu bytes", all,
             lease_bytes_);
  const std::size_t slot_leases = std::max<std::size_t>(1, all / 4);
  const std::size_t heap_leases = (all - slot_leases) / 2;
  regions_[0] = Range{control_.end(), slot_leases * lease_bytes_};
  regions_[1] = Range{regions_[0].end(), heap_leases * lease_bytes_};
  regions_[2] = Range{regions_[1].end(), (all - slot_leases - heap_leases) * lease_bytes_};
  chunk_bytes_ = std::min(kMostChunkBytes, lease_bytes_);
  // A fence a slot, of so many slots: where there are fewer addresses, it is smaller.
  fence_bytes_ =
      round_down(std::min(kMostFenceBytes, regions_[0].bytes / kSlotsWithFence), kUnitBytes);
}

Range Layout::lease_range(const LeaseRun& run) const {
  return Range{region(run.region).begin + run.first * lease_bytes_, run.count * lease_bytes_};
}

std::size_t Layout::node_page_offset() const { return round_up(units(), kPageBytes); }

}  // namespace roam::iso
