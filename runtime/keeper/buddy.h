#ifndef ROAM_RUNTIME_KEEPER_BUDDY_H_
#define ROAM_RUNTIME_KEEPER_BUDDY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Who keeps whose pieces, and where they are read from: pure functions, so that all ranks that have
// the same facts come to the same answer.
namespace roam::runtime {

// Each node's pieces are kept there and on its buddy, the next node in the order of their numbers;
// the last one's on the first. `node_of`: the node of each rank, any numbers.

// -1: there is one node only.
int buddy_node(const std::vector<int>& node_of, int node);
// The rank of the buddy that gets the pieces of `rank`. The ranks of the node are dealt out to
// those of the buddy in turn. -1: there is one node only.
int buddy_rank(const std::vector<int>& node_of, int rank);
// Whose pieces `rank` gets so, in order.
std::vector<int> ranks_buddied_by(const std::vector<int>& node_of, int rank);

// What a keeper that somebody can reach has of a checkpoint.
struct KeptAt {
  int rank = 0;    // who has asked it. Several may reach the same, of one machine
  int keeper = 0;  // the node that it was called by
  std::uint64_t number = 0;
  bool committed = false;
  std::vector<std::string> pieces;
};

// Of which some keeper knows that they are complete: the newest first.
std::vector<std::uint64_t> committed_numbers(const std::vector<KeptAt>& kept);

// A piece, and who will read it, on which node.
struct WantedPiece {
  std::string name;
  int reader = 0;
  int node = 0;
};
// The index in `kept` of the keeper that each piece of checkpoint `number` is taken from: one that
// its reader reaches itself, first the one of its node's number; or else one of another rank, which
// sends it; of those, ranks take their turns. Empty: one is nowhere, and `missing` is its name.
std::vector<std::size_t> places_of(const std::vector<KeptAt>& kept, std::uint64_t number,
                                   const std::vector<WantedPiece>& wanted, std::string* missing);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_KEEPER_BUDDY_H_
