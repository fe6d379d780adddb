#ifndef ROAM_MPI_CALLS_MESSAGES_H_
#define ROAM_MPI_CALLS_MESSAGES_H_

#include "mpi/calls/request.h"
#include "mpi/calls/virtual_rank.h"

// Messages between virtual ranks, as requests. Context: the virtual rank whose request it is.
namespace roam::mpi {

// Tags that are allowed (MPI_TAG_UB).
inline constexpr int kMostTag = (1 << 30) - 1;

// Fills in what `request` is to do; nothing is under way yet.
// CallError(MPI_ERR_COMM, MPI_ERR_RANK, MPI_ERR_TAG, MPI_ERR_COUNT, MPI_ERR_TYPE, MPI_ERR_BUFFER).
void prepare_send(VirtualRank& me, Request* request, SendMode mode, const void* data,
                  MPI_Count count, MPI_Datatype type, int to, int tag, MPI_Comm communicator);
void prepare_receive(VirtualRank& me, Request* request, void* data, MPI_Count count,
                     MPI_Datatype type, int from, int tag, MPI_Comm communicator);

// Puts a prepared request under way. Does not suspend. CallError(MPI_ERR_BUFFER): a buffered one
// has no room.
void start(VirtualRank& me, Request* request);
// A partitioned send whose partitions are all ready.
void send_whole(VirtualRank& me, Request* request);
// Whether it is done; does what that takes, once: unpacks, acknowledges, and has status and error.
bool advance(Request* request);
// Blocking ones of plain data, sent in standard mode, without a request: the same as preparing,
// starting and waiting for one. False: it is none of these, or not right, and nothing has happened.
bool send_plainly(VirtualRank& me, const void* data, MPI_Count count, MPI_Datatype type, int to,
                  int tag, MPI_Comm communicator);
bool receive_plainly(VirtualRank& me, void* data, MPI_Count count, MPI_Datatype type, int from,
                     int tag, MPI_Comm communicator, MPI_Status* status);

// Takes back a receive that nothing has come for, and tells a generalized request's function;
// anything else goes on.
void cancel(Request* request);
// Until it is done.
void wait_for(VirtualRank& me, Request* request);

// The end of `request` is told to the program: its status goes to *status (or nowhere).
void tell(const MPI_Status& what, MPI_Status* status);
inline void tell(const Request& request, MPI_Status* status) { tell(request.status, status); }
// Of a generalized request that is done: what its function says of its end.
void ask_status(Request* request);
// Throws what it ended with, if that is an error.
void check(const Request& request);

// What a status has in MPICH's layout: a count of 63 bits.
void set_bytes(MPI_Status* status, MPI_Count bytes);
MPI_Count bytes_in(const MPI_Status& status);
void set_cancelled(MPI_Status* status, bool cancelled);
bool is_cancelled(const MPI_Status& status);
// Of a request that is none, or one that is not started.
MPI_Status empty_status();
// Of a message from or to MPI_PROC_NULL.
MPI_Status null_status();

// The member of the group and tag of a message that was asked for, as the runtime has them.
int world_from(const Group& group, int from);
int asked_tag(int tag);
void check_source(const Group& group, int from, int tag);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_MESSAGES_H_
