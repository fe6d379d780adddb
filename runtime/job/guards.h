#ifndef ROAM_RUNTIME_JOB_GUARDS_H_
#define ROAM_RUNTIME_JOB_GUARDS_H_

#include "runtime/net/mpi.h"

namespace roam::runtime {

// Collective. Where some rank has not the best kind of guards, one line of the job says what is not
// noticed because of that.
void tell_of_missing_guards(Mpi& mpi);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_JOB_GUARDS_H_
