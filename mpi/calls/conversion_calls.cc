// Handles and statuses as C and as Fortran have them (chapter 18.2.4 to 18.2.5 of the standard),
// and the parts of a status by functions (MPI 4.1).

#include <cstring>

#include "mpi/calls/call.h"
#include "mpi/image/image.h"
#include "mpi/image/libc_variables.h"

namespace roam::mpi {
namespace {

static_assert(sizeof(MPI_Status) == MPI_F_STATUS_SIZE * sizeof(MPI_Fint));

// MPICH's handles are numbers, the same ones in both languages. Its headers before 4.1 convert them
// by macros, so that programs call nothing.
int same(int handle) { return handle; }

// Null is what that is in Fortran before MPI_Init.
bool is_ignored(const void* status) {
  return status == nullptr || status == MPI_STATUS_IGNORE ||
         status == Image::running()->variable<void*>(LibcVariable::kFortranStatusIgnore);
}
int copy_status(const char* name, const void* from, void* to) {
  return call(name, MPI_COMM_WORLD, [&](VirtualRank&) {
    if (is_ignored(from) || is_ignored(to))
      throw CallError(MPI_ERR_OTHER, "a status that is ignored cannot be converted");
    std::memcpy(to, from, sizeof(MPI_Status));
  });
}
int status_to_fortran(const MPI_Status* from, MPI_Fint* to) {
  return copy_status("MPI_Status_c2f", from, to);
}
int status_to_c(const MPI_Fint* from, MPI_Status* to) {
  return copy_status("MPI_Status_f2c", from, to);
}

template <int MPI_Status::*kPart>
int get_part(const MPI_Status* status, int* value) {
  *value = status->*kPart;
  return MPI_SUCCESS;
}
template <int MPI_Status::*kPart>
int set_part(MPI_Status* status, int value) {
  status->*kPart = value;
  return MPI_SUCCESS;
}

}  // namespace

void add_conversion_calls() {
  for (const char* name :
       {"MPI_Comm_c2f",    "MPI_Comm_f2c",    "MPI_Errhandler_c2f", "MPI_Errhandler_f2c",
        "MPI_Group_c2f",   "MPI_Group_f2c",   "MPI_Info_c2f",       "MPI_Info_f2c",
        "MPI_Message_c2f", "MPI_Message_f2c", "MPI_Op_c2f",         "MPI_Op_f2c",
        "MPI_Request_c2f", "MPI_Request_f2c", "MPI_Session_c2f",    "MPI_Session_f2c",
        "MPI_Type_c2f",    "MPI_Type_f2c",    "MPI_Win_c2f",        "MPI_Win_f2c"}) {
    add_call(name, &same);
  }
  add_call("MPI_Status_c2f", &status_to_fortran);
  add_call("MPI_Status_f2c", &status_to_c);
  add_call("MPI_Status_get_source", &get_part<&MPI_Status::MPI_SOURCE>);
  add_call("MPI_Status_get_tag", &get_part<&MPI_Status::MPI_TAG>);
  add_call("MPI_Status_get_error", &get_part<&MPI_Status::MPI_ERROR>);
  add_call("MPI_Status_set_source", &set_part<&MPI_Status::MPI_SOURCE>);
  add_call("MPI_Status_set_tag", &set_part<&MPI_Status::MPI_TAG>);
  add_call("MPI_Status_set_error", &set_part<&MPI_Status::MPI_ERROR>);
}

}  // namespace roam::mpi
