#ifndef ROAM_MPI_CALLS_WINDOW_ACCESS_H_
#define ROAM_MPI_CALLS_WINDOW_ACCESS_H_

#include <memory>
#include <vector>

#include "mpi/calls/virtual_rank.h"
#include "mpi/calls/window.h"

// What a virtual rank does with the memory of others. Context: its thread; all of it may suspend.
namespace roam::mpi {

// One operation, as a program asks for it.
struct Access {
  WindowMessage::Kind kind;
  MPI_Op op = MPI_OP_NULL;
  // What is brought, if anything is.
  const void* data = nullptr;
  MPI_Count count = 0;
  MPI_Datatype type = MPI_DATATYPE_NULL;
  // Where.
  int target = MPI_PROC_NULL;  // a rank in the window
  MPI_Aint displacement = 0;
  MPI_Count target_count = 0;
  MPI_Datatype target_type = MPI_DATATYPE_NULL;
  // Where what is fetched goes.
  void* result = nullptr;
  MPI_Count result_count = 0;
  MPI_Datatype result_type = MPI_DATATYPE_NULL;
  const void* compared = nullptr;  // of kCompareAndSwap
};

// Begins it; what it brings may be changed then. Null: nothing is awaited.
// CallError(MPI_ERR_RANK, MPI_ERR_DISP, MPI_ERR_COUNT, MPI_ERR_TYPE, MPI_ERR_OP, MPI_ERR_TRUNCATE);
// MPI_ERR_RMA_SYNC: the program has not opened an epoch for it. That it is not in the window, the
// next call that waits for it says.
std::shared_ptr<Fetch> begin_access(VirtualRank& me, Window& w, const Access& access,
                                    bool has_request);

// Until all operations on the member, or on all, are done there. CallError: one could not be.
void confirm(VirtualRank& me, Window& w, int world);
void confirm_all(VirtualRank& me, Window& w);
// Until the answers of the member, or of all, have come.
void await_fetches(VirtualRank& me, Window& w, int world);
void await_all_fetches(VirtualRank& me, Window& w);

// Takes the locks of the members, which are asked for at once.
void take_locks(VirtualRank& me, Window& w, const std::vector<int>& worlds, bool exclusive);
// Gives those back that are held, when all operations on these members are done.
void give_locks_back(VirtualRank& me, Window& w, const std::vector<int>& worlds);

// The number of a rank of the window. CallError(MPI_ERR_RANK).
int world_of(const Window& w, int rank);
// Throws what could not be done, once.
void tell_failure(Window& w);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_WINDOW_ACCESS_H_
