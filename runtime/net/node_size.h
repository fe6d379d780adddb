#ifndef ROAM_RUNTIME_NET_NODE_SIZE_H_
#define ROAM_RUNTIME_NET_NODE_SIZE_H_

namespace roam::runtime {

// How many ranks a node has where `host_ranks` run on a machine: `wanted`, or, where that is 0, all
// of them, and if those are more than `most`, of as few nodes of `most` at most as there can be,
// all but the last of one size. Errors: Error(bad_option), which ROAM_NODE_RANKS mends.
int node_size(int host_ranks, int wanted, int most);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_NODE_SIZE_H_
