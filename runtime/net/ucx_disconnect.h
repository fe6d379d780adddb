#ifndef ROAM_RUNTIME_NET_UCX_DISCONNECT_H_
#define ROAM_RUNTIME_NET_UCX_DISCONNECT_H_

namespace roam::runtime {

// While one exists, UCX's ucp_disconnect_nb does nothing and says that it is done: for the call of
// MPI_Finalize with which a job ends that has no traffic any more. At all other times, and for the
// program's own use of UCX and MPI, it is UCX's. With Open MPI it always is (ucx_untouched.cc).
class NoUcxDisconnect {
 public:
  NoUcxDisconnect();
  ~NoUcxDisconnect();
  NoUcxDisconnect(const NoUcxDisconnect&) = delete;
  NoUcxDisconnect& operator=(const NoUcxDisconnect&) = delete;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_UCX_DISCONNECT_H_
