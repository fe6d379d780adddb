#ifndef ROAM_RUNTIME_JOB_ARENA_PLACE_H_
#define ROAM_RUNTIME_JOB_ARENA_PLACE_H_

#include <functional>
#include <string>

#include "base/options.h"
#include "base/range.h"

namespace roam::runtime {

// Where the arena goes that is to be at `wanted`, in a program that has started MPI itself: there
// if that is free on every rank, else at the first other place that is, of no more bytes. `wanted`,
// if there is none. MPI may have mapped memory in the midst of it: Open MPI 5's launcher chooses
// addresses for its ranks (docs/decisions/0041). Collective: `all` tells whether all ranks say so.
Range arena_place(Range wanted, const std::function<bool(bool)>& all);

// Whether ROAM_ARENA says where it is to be.
bool arena_is_given();

// This rank's arena, in which nothing is yet, is at `place` from now on, where it was when a
// checkpoint was made; it need not have been anywhere. What is returned says why that cannot be,
// and what the user can do; empty: it is there. Other errors: as Arena::reserve().
std::string move_arena(Range place, Options* options);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_JOB_ARENA_PLACE_H_
