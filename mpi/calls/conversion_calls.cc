// Handles and statuses as C and as Fortran have them (chapter 18.2.4 to 18.2.5 of the standard),
// and the parts of a status by functions (MPI 4.1).

#include <dlfcn.h>

#include <cstddef>
#include <cstring>

#include "mpi/calls/call.h"
#include "mpi/image/image.h"
#include "mpi/image/libc_variables.h"

namespace roam::mpi {
namespace {

static_assert(sizeof(MPI_Status) == MPI_F_STATUS_SIZE * sizeof(MPI_Fint));
static_assert(sizeof(MPI_F08_status) == sizeof(MPI_Status) &&
              offsetof(MPI_F08_status, MPI_SOURCE) == offsetof(MPI_Status, MPI_SOURCE) &&
              offsetof(MPI_F08_status, MPI_TAG) == offsetof(MPI_Status, MPI_TAG) &&
              offsetof(MPI_F08_status, MPI_ERROR) == offsetof(MPI_Status, MPI_ERROR));

// MPICH's handles are numbers, the same ones in both languages. Its headers before 4.1 convert them
// by macros, so that programs call nothing.
int same(int handle) { return handle; }

// What the variable holds, if a library of the process has it: MPICH 4.2 has it in its library for
// Fortran, which is there only where a program needs it.
const void* held_by(const char* variable) {
  const auto* at = static_cast<void* const*>(dlsym(RTLD_DEFAULT, variable));
  return at != nullptr ? *at : nullptr;
}
// Null is what that is in Fortran before MPI_Init.
bool is_ignored(const void* status) {
  return status == nullptr || status == MPI_STATUS_IGNORE ||
         status == held_by("MPI_F08_STATUS_IGNORE") ||
         status == held_by("MPI_F08_STATUSES_IGNORE") ||
         status == Image::running()->variable<void*>(LibcVariable::kFortranStatusIgnore);
}
int copy_status(const char* name, const void* from, void* to) {
  return call(name, MPI_COMM_WORLD, [&](VirtualRank&) {
    if (is_ignored(from) || is_ignored(to))
      throw CallError(MPI_ERR_OTHER, "a status that is ignored cannot be converted");
    std::memcpy(to, from, sizeof(MPI_Status));
  });
}
template <Name kName, class From, class To>
int convert_status(const From* from, To* to) {
  return copy_status(kName.text, from, to);
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
  add_call("MPI_Status_c2f", &convert_status<"MPI_Status_c2f", MPI_Status, MPI_Fint>);
  add_call("MPI_Status_f2c", &convert_status<"MPI_Status_f2c", MPI_Fint, MPI_Status>);
  add_call("MPI_Status_c2f08", &convert_status<"MPI_Status_c2f08", MPI_Status, MPI_F08_status>);
  add_call("MPI_Status_f082c", &convert_status<"MPI_Status_f082c", MPI_F08_status, MPI_Status>);
  add_call("MPI_Status_f2f08", &convert_status<"MPI_Status_f2f08", MPI_Fint, MPI_F08_status>);
  add_call("MPI_Status_f082f", &convert_status<"MPI_Status_f082f", MPI_F08_status, MPI_Fint>);
  add_call("MPI_Status_get_source", &get_part<&MPI_Status::MPI_SOURCE>);
  add_call("MPI_Status_get_tag", &get_part<&MPI_Status::MPI_TAG>);
  add_call("MPI_Status_get_error", &get_part<&MPI_Status::MPI_ERROR>);
  add_call("MPI_Status_set_source", &set_part<&MPI_Status::MPI_SOURCE>);
  add_call("MPI_Status_set_tag", &set_part<&MPI_Status::MPI_TAG>);
  add_call("MPI_Status_set_error", &set_part<&MPI_Status::MPI_ERROR>);
}

}  // namespace roam::mpi
