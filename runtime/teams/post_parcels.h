#ifndef ROAM_RUNTIME_TEAMS_POST_PARCELS_H_
#define ROAM_RUNTIME_TEAMS_POST_PARCELS_H_

#include <cstddef>

#include "runtime/teams/parcel.h"

namespace roam::runtime {

// Lets this rank read memory that another rank of the node has opened, or that was sealed here.
void make_usable(const void* data, std::size_t bytes);

// Makes the bytes of an open parcel the caller's until it stores kOffered or kDone. False: somebody
// else has them, for good.
bool lock(detail::Parcel* parcel, detail::Parcel::State state);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_POST_PARCELS_H_
