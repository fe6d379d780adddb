#ifndef ROAM_RUNTIME_BALANCING_DIFFUSE_MESSAGES_H_
#define ROAM_RUNTIME_BALANCING_DIFFUSE_MESSAGES_H_

#include <cstdint>

#include "runtime/balance/diffusion_rank.h"
#include "runtime/balance/load_model.h"
#include "runtime/net/message.h"

// Of kDiffuse: a DiffuseHead, and what its stage says (diffuser.h has their order). A number of a
// stage is never used again.
namespace roam::runtime {

enum class DiffuseStage : std::uint32_t {
  kStart = 0,     // the root, 4 bytes, as in the head
  kTotals = 1,    // DiffuseTotals
  kGo = 2,        // DiffuseCourse
  kSums = 3,      // DiffusionRank::Sums
  kTokens = 4,    // DiffusionRank::Token, each that is offered
  kPlaces = 5,    // indices of members, 4 bytes each: they are to go to the sender
  kOutcome = 6,   // DiffuseOutcome, then DiffuseNote, each
  kVerdict = 7,   // how many members move, 4 bytes; 0: it does not pay
  kReturned = 8,  // DiffusionRank::Token, each that who has offered has then of these
};

struct DiffuseHead {
  Kind kind;
  DiffuseStage stage;
  std::uint64_t team;
  std::uint32_t number;  // of the team's collectives
  std::int32_t root;     // of the tree
  std::int32_t round;    // of kSums, kTokens, kReturned
};

// What the ranks' members are to compute, by each load model, and how far off the models were: of
// the rank that is furthest off.
struct DiffuseTotals {
  long double load_s[balance::kLoadModels] = {};
  long double most_s[balance::kLoadModels] = {};  // of one member
  balance::ModelErrors off_s{};
  bool named = false;  // a load is in the program's unit
};

struct DiffuseCourse {
  double goal_s;        // what a rank is to compute
  double ideal_s;       // if all is even
  std::uint32_t model;  // of loads
  // Where loads are in the program's unit, seconds are those of proportion.h.
  bool named;
  long double most;     // the largest
  double proportion_s;  // seconds that a proportion() of 1 stands for
  long double second;   // load that a second stands for
};

struct DiffuseOutcome {
  double before_s = 0, after_s = 0, move_s = 0;  // of the rank that takes longest
  std::int32_t moves = 0;
};

// For the trace, and only with it: the load of a rank, or, with a thread, a move from it.
struct DiffuseNote {
  std::int32_t rank, to;
  double before_s, after_s;
  std::uint64_t thread, bytes;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_BALANCING_DIFFUSE_MESSAGES_H_
