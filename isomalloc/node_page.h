#ifndef ROAM_ISOMALLOC_NODE_PAGE_H_
#define ROAM_ISOMALLOC_NODE_PAGE_H_

#include <atomic>
#include <cstdint>

namespace roam::iso {

// What the ranks of a node share beside the unit map: a page of the control region, zeroed at
// first.
struct NodePage {
  std::atomic<std::uint64_t> token;    // of the node's memory; at the page's begin, see NodeMemory
  std::atomic<std::uint64_t> version;  // counts the leases that were opened
  std::atomic<std::uint64_t> foreign;  // 1 once something of another node's leases was here
  std::atomic<std::int64_t> charged;   // bytes, see MemoryLimit
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_NODE_PAGE_H_
