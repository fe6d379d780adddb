#ifndef DEMOS_LOAD_BALANCE_PLAN_H_
#define DEMOS_LOAD_BALANCE_PLAN_H_

#include <cstddef>
#include <optional>
#include <span>

// One job to give away, and to whom.
struct Gift {
  std::size_t job = 0;
  int rank = 0;
};

// The balancing strategy, a pure function: which of the jobs on `here` should go to which rank, if
// any.
//
// Units: seconds of work that is left: `rank_seconds` by rank, `job_seconds` by job on rank `here`.
//
// A rank with more than the average gives to the rank that has least, and of its jobs the one that
// comes nearest to what the one has too much and the other too little. Both are nearer to the
// average afterwards, so repeated calls end. What is hardly worth a move stays.
std::optional<Gift> choose_gift(std::span<const double> rank_seconds, int here,
                                std::span<const double> job_seconds);

#endif  // DEMOS_LOAD_BALANCE_PLAN_H_
