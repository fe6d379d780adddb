#ifndef ROAM_MPI_CALLS_REQUEST_H_
#define ROAM_MPI_CALLS_REQUEST_H_

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mpi/calls/group.h"
#include "mpi/calls/schedule.h"
#include "mpi/calls/types.h"
#include "runtime/teams/parcel.h"

namespace roam::mpi {

struct Fetch;

// How a send ends.
enum class SendMode : std::uint8_t { kStandard, kSynchronous, kBuffered, kReady };

// What the program has said of a request of its own (MPI_Grequest_start). Each returns an error.
struct Generalized {
  MPI_Grequest_query_function* query;
  MPI_Grequest_free_function* free;
  MPI_Grequest_cancel_function* cancel;
  void* extra;
  bool fortran = false;     // they are functions of Fortran
  bool given_back = false;  // by MPI_Request_free, before it was done

  int ask_status(MPI_Status* status) const;
  int free_it() const;
  int cancel_it(bool is_done) const;
};

// Of a partitioned message, which goes when all of them are ready. Its two ends find each other by
// the order in which they were made.
struct Partitions {
  explicit Partitions(int n) : count(n), ready(static_cast<std::size_t>(n)) {}
  // Takes the introduction's receive back.
  ~Partitions();

  int count;
  std::vector<bool> ready;  // of a send that was started
  int waiting = 0;          // so many are not ready
  // Of a receive, which is told the context of the messages by their sender, who makes it.
  std::uint64_t context = 0;
  detail::RequestState introduction;
  bool introduced = false;  // it is under way, or done

  // It is a send, or its sender has told it.
  bool is_known() const { return !introduced || introduction.done; }
};

// A message or collective under way, or a persistent one between two. It stays where it is while it
// is under way: the runtime writes to `wire`.
struct Request {
  Request() = default;
  // What is under way is taken back, if nothing has come for it, or waited for.
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  enum class Kind : std::uint8_t { kNothing, kSend, kReceive, kCollective, kGeneralized, kFetch };

  Kind kind = Kind::kNothing;
  SendMode mode = SendMode::kStandard;
  bool persistent = false;
  bool started = false;    // and its end was not told to the program yet
  bool done = true;        // nothing is under way
  bool cancelled = false;  // taken back before anything came, or was received
  int error = MPI_SUCCESS;
  std::string why;             // in words
  bool on_wire = false;        // the runtime knows `wire`
  bool awaits_answer = false;  // and `acknowledgement`
  bool asked_back = false;     // by MPI_Cancel; the acknowledgement says which it is
  detail::RequestState wire;
  detail::RequestState acknowledgement;  // of a synchronous send: the receive has begun
  bool acknowledged = false;             // of a receive

  // As the program gave them, for the next start of a persistent one and for unpacking.
  std::uint64_t context = 0;
  Group group;                            // that `peer` is a rank of; the communicator's
  MPI_Comm communicator = MPI_COMM_NULL;  // whose error handler is told
  MPI_Win window = MPI_WIN_NULL;          // the same, of an access to a window
  // What it was when they were freed, whose numbers name others then.
  MPI_Errhandler errhandler = MPI_ERRHANDLER_NULL;
  int peer = MPI_PROC_NULL;
  int tag = 0;
  void* data = nullptr;
  MPI_Count count = 0;
  Type type;
  std::vector<char> packed;      // of data that does not lie together, or is buffered
  std::size_t buffer_bytes = 0;  // of the attached buffer, that a buffered send takes

  std::unique_ptr<Schedule> schedule;  // of a collective
  std::unique_ptr<Generalized> generalized;
  std::unique_ptr<Partitions> partitions;  // null: it is an ordinary message
  std::shared_ptr<Fetch> fetch;            // of an access to a window
  std::unique_ptr<Request> with;           // the send of an MPI_Isendrecv, which is done as well

  MPI_Status status{};  // once it is done
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_REQUEST_H_
