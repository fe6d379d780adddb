#ifndef ROAM_TESTS_STRESS_WORKER_H_
#define ROAM_TESTS_STRESS_WORKER_H_

#include <cstdint>
#include <vector>

#include "roam/roam.h"

namespace roam_test {

struct WorkerOptions {
  int steps = 200;  // of a worker without a parent; half as many for each generation
  int generations = 3;
  bool channels = true;
  bool sharing = true;  // of memory with other threads of the node, for which they pin themselves
};

// A thread that does random things to its memory, itself, its children and others, as its seed
// says, and verifies all of it. About one in eight ends with a Mishap.
roam::Thread spawn_worker(const WorkerOptions& options, std::uint64_t seed, int rank);

// Joins a worker of that seed: its Mishap, if the seed says so, must arrive whole.
void join_worker(roam::Thread worker, std::uint64_t seed);

// Verifies what is still in this rank's channel, and empties it.
void drain_channel();

}  // namespace roam_test

#endif  // ROAM_TESTS_STRESS_WORKER_H_
