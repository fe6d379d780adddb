// MPI's interface for tools (chapter 15 of the standard): there is nothing to be seen by it.
// Programs that look find no variables, categories, events and sources, and the right errors.

#include <algorithm>

#include "mpi/calls/call.h"

namespace roam::mpi {
namespace {

int begin(int wanted, int* provided) {
  VirtualRank& me = VirtualRank::running();
  ++me.tool_begins;
  if (provided != nullptr) *provided = std::min(wanted, VirtualRank::most_thread_level);
  return MPI_SUCCESS;
}
int end() {
  VirtualRank& me = VirtualRank::running();
  if (me.tool_begins == 0) return MPI_T_ERR_NOT_INITIALIZED;
  --me.tool_begins;
  return MPI_SUCCESS;
}

bool has_begun() { return VirtualRank::running().tool_begins != 0; }

int count(int* number) {
  if (!has_begun()) return MPI_T_ERR_NOT_INITIALIZED;
  if (number == nullptr) return MPI_T_ERR_INVALID;
  *number = 0;
  return MPI_SUCCESS;
}

// ---- sessions of performance variables: they hold nothing ----

MPI_T_pvar_session one_session() {
  return reinterpret_cast<MPI_T_pvar_session>(&VirtualRank::running());
}
int make_session(MPI_T_pvar_session* session) {
  if (!has_begun()) return MPI_T_ERR_NOT_INITIALIZED;
  *session = one_session();
  return MPI_SUCCESS;
}
int free_session(MPI_T_pvar_session* session) {
  if (!has_begun()) return MPI_T_ERR_NOT_INITIALIZED;
  if (*session != one_session()) return MPI_T_ERR_INVALID_SESSION;
  *session = MPI_T_PVAR_SESSION_NULL;
  return MPI_SUCCESS;
}
// All handles of a session are none.
int for_all(MPI_T_pvar_session session, MPI_T_pvar_handle handle) {
  if (!has_begun()) return MPI_T_ERR_NOT_INITIALIZED;
  if (session != one_session()) return MPI_T_ERR_INVALID_SESSION;
  return handle == MPI_T_PVAR_ALL_HANDLES ? MPI_SUCCESS : MPI_T_ERR_INVALID_HANDLE;
}

// A function of which each argument names something that is not there.
template <class Function, int kError>
struct Nothing;
template <class... Arguments, int kError>
struct Nothing<int(Arguments...), kError> {
  static int call(Arguments...) { return has_begun() ? kError : MPI_T_ERR_NOT_INITIALIZED; }
};
#define ROAM_NOTHING(kFunction, kError) \
  add_call(#kFunction, &Nothing<decltype(kFunction), kError>::call)

}  // namespace

void add_tool_calls() {
  add_call("MPI_T_init_thread", &begin);
  add_call("MPI_T_finalize", &end);
  for (const char* name : {"MPI_T_cvar_get_num", "MPI_T_pvar_get_num", "MPI_T_category_get_num",
                           "MPI_T_event_get_num", "MPI_T_source_get_num", "MPI_T_category_changed"})
    add_call(name, &count);
  add_call("MPI_T_pvar_session_create", &make_session);
  add_call("MPI_T_pvar_session_free", &free_session);
  for (const char* name : {"MPI_T_pvar_start", "MPI_T_pvar_stop", "MPI_T_pvar_reset"})
    add_call(name, &for_all);

  ROAM_NOTHING(MPI_T_cvar_get_index, MPI_T_ERR_INVALID_NAME);
  ROAM_NOTHING(MPI_T_pvar_get_index, MPI_T_ERR_INVALID_NAME);
  ROAM_NOTHING(MPI_T_category_get_index, MPI_T_ERR_INVALID_NAME);
  ROAM_NOTHING(MPI_T_event_get_index, MPI_T_ERR_INVALID_NAME);
  ROAM_NOTHING(MPI_T_cvar_get_info, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_cvar_handle_alloc, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_pvar_get_info, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_pvar_handle_alloc, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_category_get_info, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_category_get_cvars, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_category_get_pvars, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_category_get_events, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_category_get_num_events, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_category_get_categories, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_event_get_info, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_event_handle_alloc, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_source_get_info, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_source_get_timestamp, MPI_T_ERR_INVALID_INDEX);
  ROAM_NOTHING(MPI_T_cvar_handle_free, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_cvar_read, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_cvar_write, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_pvar_handle_free, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_pvar_read, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_pvar_readreset, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_pvar_write, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_enum_get_info, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_enum_get_item, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_event_callback_get_info, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_event_callback_set_info, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_event_copy, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_event_get_source, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_event_get_timestamp, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_event_handle_free, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_event_handle_get_info, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_event_handle_set_info, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_event_read, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_event_register_callback, MPI_T_ERR_INVALID_HANDLE);
  ROAM_NOTHING(MPI_T_event_set_dropped_handler, MPI_T_ERR_INVALID_HANDLE);
}

}  // namespace roam::mpi
