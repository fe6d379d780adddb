#include "mpi/image/reserve.h"

#include "mpi/image/refusal.h"

// Common thread-local symbols come after all others of the launcher's block, whatever the order of
// its objects.
asm(".tls_common roam_mpi_reserve, 16384, 64");
extern "C" {
[[gnu::tls_model("local-exec"),
  gnu::visibility(
      "hidden")]] extern thread_local constinit char roam_mpi_reserve[roam::mpi::kReserveBytes];
}
static_assert(roam::mpi::kReserveBytes == 16384 && roam::mpi::kReserveAlignment == 64);

namespace roam::mpi {

char* reserve_end() {
  char* const end = roam_mpi_reserve + kReserveBytes;
  if (end != __builtin_thread_pointer()) {
    throw Refusal(
        "the launcher's reserve of thread_local memory is not the last of its block: "
        "link it with GNU ld");
  }
  return end;
}

}  // namespace roam::mpi
