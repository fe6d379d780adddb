#ifndef ROAM_ISOMALLOC_CORE_PARTS_H_
#define ROAM_ISOMALLOC_CORE_PARTS_H_

#include <cstddef>

#include "isomalloc/layout.h"
#include "isomalloc/leases.h"
#include "isomalloc/node_memory.h"
#include "isomalloc/unit_map.h"

namespace roam::iso {

// What of the arena goes into a core of this process.
struct CoreParts {
  std::size_t runs = 0;
  std::size_t bytes = 0;
  std::size_t left_out = 0;  // bytes
};
inline constexpr std::size_t kMostCoreRuns = 16'000;

// Nothing of the arena is in a core but what this adds: what lives on this node now. Each run of it
// is two mappings, so where there are more than `most_runs`, runs that lie near each other are
// added as one; if there still are, those that this rank hands out from come first. To be called
// last before the process ends. Allocates nothing. Context: also a signal handler.
CoreParts include_in_core(const Layout& layout, const NodeMemory& memory, const UnitMap& units,
                          const Leases& leases, std::size_t most_runs);

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_CORE_PARTS_H_
