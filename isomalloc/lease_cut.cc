#include "isomalloc/lease_cut.h"

#include <algorithm>
#include <climits>

namespace roam::iso {

// The largest: a lease is a power of two, and is twice as long for half of it.
int ranks_for_leases_of(std::size_t lease_bytes, Range whole) {
  if (lease_bytes == 0) return 1;
  const std::size_t ranks = whole.bytes / lease_bytes / kLeasesARank;
  return static_cast<int>(std::clamp<std::size_t>(ranks, 1, INT_MAX));
}

}  // namespace roam::iso
