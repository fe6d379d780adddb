#ifndef ROAM_RUNTIME_IMAGE_CLAIMS_H_
#define ROAM_RUNTIME_IMAGE_CLAIMS_H_

#include "isomalloc/arena.h"

namespace roam::runtime {

// Called with each range of the arena that comes to this rank from another one: what this process
// knew of its memory is of no use any more. Null: nobody wants to know. Context: the rank's kernel
// thread, capture off.
using ClaimHeard = void (*)(Range);
extern ClaimHeard claim_heard;

// Arena::claim(), which says so.
iso::Claimed claim_range(Range range);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_CLAIMS_H_
