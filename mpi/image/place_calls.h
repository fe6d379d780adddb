#ifndef ROAM_MPI_IMAGE_PLACE_CALLS_H_
#define ROAM_MPI_IMAGE_PLACE_CALLS_H_

// Where the virtual rank that runs is, for programs and launchers, and how virtual rank 0 gets to
// the standard input.
namespace roam::mpi {

// Sends it to rank `to` of the job. False: it is pinned, or there is no such rank, and it stays.
bool go_to(int to);

// Programs find AMPI_My_pe and AMPI_Migrate_to_pe, which return 0; the latter `refused` where it
// stays.
void add_place_calls(int refused);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_PLACE_CALLS_H_
