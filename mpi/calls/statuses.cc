// What a status says, as MPICH lays it out.

#include "mpi/calls/messages.h"

namespace roam::mpi {

void set_bytes(MPI_Status* status, MPI_Count bytes) {
  status->count_lo = static_cast<int>(bytes & 0xffffffff);
  status->count_hi_and_cancelled =
      (status->count_hi_and_cancelled & 1) | static_cast<int>((bytes >> 32) << 1);
}
MPI_Count bytes_in(const MPI_Status& status) {
  return static_cast<MPI_Count>(static_cast<unsigned>(status.count_lo)) |
         static_cast<MPI_Count>(static_cast<unsigned>(status.count_hi_and_cancelled) >> 1) << 32;
}
void set_cancelled(MPI_Status* status, bool cancelled) {
  status->count_hi_and_cancelled = (status->count_hi_and_cancelled & ~1) | (cancelled ? 1 : 0);
}
bool is_cancelled(const MPI_Status& status) { return (status.count_hi_and_cancelled & 1) != 0; }

MPI_Status empty_status() {
  MPI_Status status{};
  status.MPI_SOURCE = MPI_ANY_SOURCE;
  status.MPI_TAG = MPI_ANY_TAG;
  status.MPI_ERROR = MPI_SUCCESS;
  return status;
}
MPI_Status null_status() {
  MPI_Status status = empty_status();
  status.MPI_SOURCE = MPI_PROC_NULL;
  return status;
}

}  // namespace roam::mpi
