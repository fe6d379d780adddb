#ifndef ROAM_ISOMALLOC_BLOCK_H_
#define ROAM_ISOMALLOC_BLOCK_H_

#include <cstdint>

namespace roam::iso {

// Tells images of this job from images that an earlier one left. Set by who starts the job, the
// same on every rank.
extern std::uint64_t job_id;

// Explicit blocks are the C calls of roam/isomalloc.h; this is what the layers above need of them.

// Makes the arena ready for a process that is alone and did not call roam::run. Errors: as
// Arena::reserve.
void start_alone();

// The addresses of freed blocks rest no longer: they go to this rank's pool.
void end_all_rests();

// For tests that release the arena.
void forget_resting_blocks();

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_BLOCK_H_
