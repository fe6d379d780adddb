#ifndef ROAM_RUNTIME_BALANCE_LOAD_TABLE_H_
#define ROAM_RUNTIME_BALANCE_LOAD_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// Load balancing as pure functions: no MPI, no threads, no clock. A strategy (strategy.h) turns a
// LoadTable into a Plan; docs/balancing.md says which to use when.
namespace roam::balance {

struct ThreadLoad {
  double load_s = 0;        // seconds that it is expected to compute in the next step
  std::uint64_t bytes = 0;  // that a move of it to another node sends; also what it takes there
  std::int32_t rank = 0;    // where it is
  bool fixed = false;       // it cannot move: its load and bytes stay there, whatever is planned
  std::int32_t block = -1;  // the block of LoadTable::block_bytes that it shares; -1: none
};

struct RankInfo {
  double speed = 1;                // load_s / speed is the time that a thread takes here
  std::int32_t node = 0;           // ranks with equal numbers share memory
  std::uint64_t memory_bytes = 0;  // most that may be here; 0: no limit
  std::uint64_t used_bytes = 0;    // here, and not part of any thread of the table
};

// What a thread sends to another in a step.
struct Edge {
  std::uint32_t to = 0;  // index of a thread
  std::uint64_t bytes = 0;
  std::uint32_t messages = 0;
};

// What moves and messages cost. The defaults were measured between two ranks of one machine,
// through MPI into fresh memory (docs/performance.md, 2026-11): set them for a real network.
struct Costs {
  double steps = 10;               // for which a plan is expected to hold
  double move_s_per_byte = 5e-10;  // of a move between nodes
  double move_between_s = 5e-6;    // a move between nodes, besides its bytes
  double move_in_node_s = 7e-7;    // a move inside a node, whatever its bytes
  double comm_s_per_byte = 3e-10;  // of a message between nodes; inside a node it is free
  double comm_s_per_message = 3e-7;

  double move_s(bool between_nodes, std::uint64_t bytes) const {
    return between_nodes ? move_between_s + move_s_per_byte * static_cast<double>(bytes)
                         : move_in_node_s;
  }
  double comm_s(const Edge& edge) const {
    return comm_s_per_byte * static_cast<double>(edge.bytes) + comm_s_per_message * edge.messages;
  }
};

// What a strategy decides from. Threads and ranks are named by their index.
struct LoadTable {
  std::vector<ThreadLoad> threads;
  // Thread i sends edges[first_edge[i]] up to edges[first_edge[i + 1]]. Both are empty where
  // communication is not known.
  std::vector<std::size_t> first_edge;
  std::vector<Edge> edges;
  std::vector<RankInfo> ranks;
  // Memory that threads share, besides their own bytes: a rank has a block once, however many of
  // its threads share it, and not if none does. A move does not send it.
  std::vector<std::uint64_t> block_bytes;
  Costs costs;

  bool has_edges() const { return !edges.empty(); }
  std::span<const Edge> edges_of(std::size_t thread) const {
    if (!has_edges()) return {};
    return {edges.data() + first_edge[thread], edges.data() + first_edge[thread + 1]};
  }
  bool same_node(std::int32_t a, std::int32_t b) const {
    return ranks[static_cast<std::size_t>(a)].node == ranks[static_cast<std::size_t>(b)].node;
  }
};

// The rank where each thread is to be in the next step.
struct Plan {
  std::vector<std::int32_t> rank_of;
};

// Everything stays.
Plan plan_to_stay(const LoadTable& table);

// The bytes that each rank has when `plan` is carried out: what is no thread's, its threads' own
// and the blocks that they share.
//
// Cost: O(threads log threads + ranks).
std::vector<std::uint64_t> bytes_on_ranks(const LoadTable& table, const Plan& plan);

// Refuses a table that no strategy could make sense of: no rank, a load or cost that is negative or
// not finite, a speed that is not above zero, a rank, thread or block that does not exist, edges
// that do not belong to the threads.
//
// Errors: Errc::bad_option  names the first offender and what it has.
// Cost:   O(threads + edges + ranks).
void check_table(const LoadTable& table);

// Refuses a plan that cannot be carried out: threads without a rank, ranks that do not exist, a
// move of what cannot move, more memory on a rank than its limit. A rank that is over its limit
// already may stay so, not get fuller.
//
// Errors: Errc::bad_option  names the first offender.
void check_plan(const LoadTable& table, const Plan& plan);

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_LOAD_TABLE_H_
