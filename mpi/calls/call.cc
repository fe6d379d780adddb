#include "mpi/calls/call.h"

#include <cstdio>
#include <string>
#include <typeinfo>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/calls/ending.h"
#include "mpi/calls/error_classes.h"
#include "runtime/api/member_messages.h"

namespace roam::mpi {

int tell_error(VirtualRank& me, MPI_Comm handle, const char* name, const FailedCall& failed) {
  Communicator* communicator = me.find_communicator(handle);
  if (communicator == nullptr) communicator = me.find_communicator(MPI_COMM_WORLD);
  return tell_handler(me, communicator->errhandler, communicator->handle,
                      communicator->name.empty() ? "the communicator" : communicator->name.c_str(),
                      name, failed);
}

int tell_handler(VirtualRank& me, MPI_Errhandler handler, int object, const char* whose,
                 const char* name, const FailedCall& failed, int kind) {
  int code = failed.code;
  if (returns_codes(handler)) return code;
  if (const UserErrhandler* own = me.errhandlers.find(handler);
      own != nullptr && own->function != nullptr) {
    if (own->proxy != nullptr) {
      own->proxy(kind, &object, &code, reinterpret_cast<void (*)()>(own->function));
      return MPI_SUCCESS;  // of a code, its library would have the handler called again
    }
    own->function(&object, &code);
    return code;
  }
  end_job(1,
          text("virtual rank %d: %s: %s: %s. MPI_ERRORS_ARE_FATAL is the error handler of %s",
               me.number(), name,
               name_of_error(code) == nullptr ? "an error of the program's" : name_of_error(code),
               failed.why.c_str(), whose));
}

int tell_window_error(VirtualRank& me, MPI_Win handle, const char* name, const FailedCall& failed) {
  const Window* window = me.windows.find(handle);
  if (window == nullptr) return tell_error(me, MPI_COMM_WORLD, name, failed);
  return tell_handler(me, window->errhandler, handle,
                      window->name.empty() ? "the window" : window->name.c_str(), name, failed,
                      kHandlerOfWindow);
}

// Its type is described in the program's libraries, which travel.
bool is_of_program(const std::exception& error) { return runtime::travels(&typeid(error)); }

void refuse_call(const VirtualRank& me, const char* name) {
  end_job(1,
          text("virtual rank %d calls %s %s", me.number(), name,
               me.state == VirtualRank::State::kBefore ? "before MPI_Init" : "after MPI_Finalize"));
}

void add_mpi_calls() {
  add_missing_calls();
  add_error_handler_calls();
  add_info_calls();
  add_environment_calls();
  add_message_calls();
  add_request_calls();
  add_generalized_request_calls();
  add_partitioned_calls();
  add_session_calls();
  add_tool_calls();
  add_group_calls();
  add_attribute_calls();
  add_communicator_calls();
  add_intercommunicator_calls();
  add_collective_calls();
  add_reduction_calls();
  add_topology_calls();
  add_neighbour_calls();
  add_type_calls();
  add_conversion_calls();
  add_file_calls();
  add_file_view_calls();
  add_file_access_calls();
  add_window_calls();
  add_window_access_calls();
  add_window_epoch_calls();
}

}  // namespace roam::mpi
