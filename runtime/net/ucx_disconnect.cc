#include "runtime/net/ucx_disconnect.h"

#include <dlfcn.h>

namespace {

// Who finalizes, and who in the program may talk over UCX meanwhile, may be several kernel threads.
thread_local bool skipped = false;

}  // namespace

// Debian's MPICH 4.0.2 over UCX hangs in MPI_Finalize with TCP, in 8 of 20 runs over lo (2026-11),
// whatever was sent before: a rank waits in the launcher's barrier while another's disconnect needs
// it to make progress. All traffic of ours has ended before MPI_Finalize, so there is nothing to
// flush: without the disconnect 0 of 120 runs hung. MPICH calls it through the dynamic linker.
extern "C" void* ucp_disconnect_nb(void* endpoint) {
  if (skipped) return nullptr;
  static const auto real =
      reinterpret_cast<void* (*)(void*)>(dlsym(RTLD_NEXT, "ucp_disconnect_nb"));
  return real == nullptr ? nullptr : real(endpoint);
}

namespace roam::runtime {

NoUcxDisconnect::NoUcxDisconnect() { skipped = true; }
NoUcxDisconnect::~NoUcxDisconnect() { skipped = false; }

}  // namespace roam::runtime
