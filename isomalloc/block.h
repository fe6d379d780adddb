#ifndef ROAM_ISOMALLOC_BLOCK_H_
#define ROAM_ISOMALLOC_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/range.h"

namespace roam::iso {

// Tells images of this job from images that an earlier one left. Set by who starts the job, the
// same on every rank.
extern std::uint64_t job_id;
// This rank's place in its node, noted in the blocks that it makes. Set by who starts the job.
extern int block_maker;

// Explicit blocks are the C calls of roam/isomalloc.h; this is what the layers above need of them.

// Makes the arena ready for a process that is alone and did not call roam::run. Errors: as
// Arena::reserve.
void start_alone();

// The addresses of freed blocks rest no longer: they go to this rank's pool.
void end_all_rests();

// The address ranges of freed blocks that rest.
std::vector<Range> resting_ranges();

// Calls `visit` for the range of each live block on this node, with the bytes that were asked for
// and the place in its node of the rank that made it, or where it was unpacked last. Its pages are
// those that exist of the whole range. Slow: looks through the unit map.
void for_each_block(const std::function<void(Range range, std::size_t bytes, int maker)>& visit);
// A block of an earlier job comes to this rank: its range is claimed, and its pages can be put in
// place. False: it cannot; `why` says what is in the way, and nothing has changed. `lacked`: memory
// is, rather than something that lives there.
bool begin_block(Range range, std::string* why, bool* lacked);
// It was put in place, and is this rank's from now on. False: it is no block of `bytes`.
bool adopt_block(Range range, std::size_t bytes);
// It is not to be here after all.
void give_up_block(Range range);

// For tests that release the arena.
void forget_resting_blocks();

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_BLOCK_H_
