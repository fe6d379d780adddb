#include "runtime/net/ucx_disconnect.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdint>

namespace {

using Disconnect = void* (*)(void*);

// Who finalizes, and who in the program may talk over UCX meanwhile, may be several kernel threads.
thread_local bool skipped = false;

// UCX's own: of a library behind this one in the order of loading; or of one that was loaded for a
// plug-in alone (RTLD_LOCAL), which stays from then on.
Disconnect find_real() {
  constexpr const char* kName = "ucp_disconnect_nb";
  if (void* real = dlsym(RTLD_NEXT, kName); real != nullptr)
    return reinterpret_cast<Disconnect>(real);
  void* library = dlopen("libucp.so.0", RTLD_LAZY | RTLD_NOLOAD);
  return library == nullptr ? nullptr : reinterpret_cast<Disconnect>(dlsym(library, kName));
}

}  // namespace

// Debian's MPICH 4.0.2 over UCX hangs in MPI_Finalize with TCP, in 8 of 20 runs over lo (2026-11),
// whatever was sent before: a rank waits in the launcher's barrier while another's disconnect needs
// it to make progress. All traffic of ours has ended before MPI_Finalize, so there is nothing to
// flush: without the disconnect 0 of 120 runs hung. MPICH calls it through the dynamic linker.
extern "C" void* ucp_disconnect_nb(void* endpoint) {
  if (skipped) return nullptr;
  static constinit std::atomic<Disconnect> found = nullptr;
  Disconnect real = found.load(std::memory_order_relaxed);
  if (real == nullptr) found.store(real = find_real(), std::memory_order_relaxed);
  if (real != nullptr) return real(endpoint);
  constexpr std::intptr_t kUnsupported = -22;  // UCS_ERR_UNSUPPORTED: it was not done
  return reinterpret_cast<void*>(kUnsupported);
}

namespace roam::runtime {

NoUcxDisconnect::NoUcxDisconnect() { skipped = true; }
NoUcxDisconnect::~NoUcxDisconnect() { skipped = false; }

}  // namespace roam::runtime
