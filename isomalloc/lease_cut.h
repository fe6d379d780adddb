#ifndef ROAM_ISOMALLOC_LEASE_CUT_H_
#define ROAM_ISOMALLOC_LEASE_CUT_H_

#include <cstddef>

#include "base/range.h"

namespace roam::iso {

// The arena is cut into at least so many leases for each rank.
inline constexpr std::size_t kLeasesARank = 16;

// A number of ranks for which Layout::set_ranks() cuts the arena `whole` into leases of
// `lease_bytes`, which it has once done for some: a job that goes on from a checkpoint has the
// leases of the job that began, whatever number of ranks it has had since.
int ranks_for_leases_of(std::size_t lease_bytes, Range whole);

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_LEASE_CUT_H_
