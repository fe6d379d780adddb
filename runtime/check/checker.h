#ifndef ROAM_RUNTIME_CHECK_CHECKER_H_
#define ROAM_RUNTIME_CHECK_CHECKER_H_

#include "base/options.h"
#include "runtime/net/mpi.h"

namespace roam::runtime {

// Collective. Sets the_check for a run if ROAM_CHECK asks for it. What rank 0 was told holds for
// all: `options` are changed so.
void start_check(Mpi& mpi, Options* options);
// Collective, after the run: says what was found. The job's status is its own, whatever it was.
void finish_check(Mpi& mpi);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECK_CHECKER_H_
