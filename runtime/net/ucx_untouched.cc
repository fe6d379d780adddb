// With an MPI whose end needs no disconnect left out: nothing of UCX is replaced.

#include "runtime/net/ucx_disconnect.h"

namespace roam::runtime {

NoUcxDisconnect::NoUcxDisconnect() = default;
NoUcxDisconnect::~NoUcxDisconnect() = default;

}  // namespace roam::runtime
