#include "runtime/net/node_size.h"

#include <algorithm>

#include "base/text.h"
#include "roam/error.h"

namespace roam::runtime {

int node_size(int host_ranks, int wanted, int most) {
  if (std::min(wanted, host_ranks) > most) {
    throw Error(Errc::bad_option,
                text("ROAM_NODE_RANKS=%d: a node has at most %d ranks, and %d run on this machine. "
                     "Give at most %d, or nothing.",
                     wanted, most, host_ranks, most));
  }
  if (wanted > 0) return wanted;
  const int nodes = (host_ranks + most - 1) / most;
  return (host_ranks + nodes - 1) / nodes;
}

}  // namespace roam::runtime
