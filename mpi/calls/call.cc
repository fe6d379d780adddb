#include "mpi/calls/call.h"

#include <cstdio>
#include <string>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/calls/ending.h"

namespace roam::mpi {
namespace {

const char* name_of_class(int error_class) {
  switch (error_class) {
    case MPI_ERR_BUFFER:
      return "MPI_ERR_BUFFER";
    case MPI_ERR_COUNT:
      return "MPI_ERR_COUNT";
    case MPI_ERR_TYPE:
      return "MPI_ERR_TYPE";
    case MPI_ERR_TAG:
      return "MPI_ERR_TAG";
    case MPI_ERR_COMM:
      return "MPI_ERR_COMM";
    case MPI_ERR_RANK:
      return "MPI_ERR_RANK";
    case MPI_ERR_ROOT:
      return "MPI_ERR_ROOT";
    case MPI_ERR_GROUP:
      return "MPI_ERR_GROUP";
    case MPI_ERR_OP:
      return "MPI_ERR_OP";
    case MPI_ERR_ARG:
      return "MPI_ERR_ARG";
    case MPI_ERR_TRUNCATE:
      return "MPI_ERR_TRUNCATE";
    case MPI_ERR_REQUEST:
      return "MPI_ERR_REQUEST";
    case MPI_ERR_NO_MEM:
      return "MPI_ERR_NO_MEM";
    case MPI_ERR_KEYVAL:
      return "MPI_ERR_KEYVAL";
    default:
      return "MPI_ERR_OTHER";
  }
}

}  // namespace

int tell_error(VirtualRank& me, MPI_Comm handle, const char* name, const Failure& failure) {
  Communicator* communicator = me.find_communicator(handle);
  if (communicator == nullptr) communicator = me.find_communicator(MPI_COMM_WORLD);
  int code = failure.code;
  if (communicator->errhandler == MPI_ERRORS_RETURN) return code;
  if (const UserErrhandler* own = me.errhandlers.find(communicator->errhandler)) {
    MPI_Comm at = communicator->handle;
    own->function(&at, &code);
    return code;
  }
  end_job(1, text("virtual rank %d: %s: %s: %s. MPI_ERRORS_ARE_FATAL is the error handler of %s",
                  me.number(), name, name_of_class(code), failure.what(),
                  communicator->name.empty() ? "the communicator" : communicator->name.c_str()));
}

void refuse_call(const VirtualRank& me, const char* name) {
  end_job(1, text("virtual rank %d calls %s %s", me.number(), name,
                  me.state == VirtualRank::State::kBefore ? "before MPI_Init"
                                                          : "after MPI_Finalize"));
}

void add_mpi_calls() {
  add_missing_calls();
  add_environment_calls();
  add_message_calls();
  add_request_calls();
  add_group_calls();
  add_communicator_calls();
  add_collective_calls();
  add_type_calls();
}

}  // namespace roam::mpi
