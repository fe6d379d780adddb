// Error handlers, classes, codes and their texts (chapter 8.3 to 8.5 of the standard).

#include <string>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/messages.h"

namespace roam::mpi {

namespace {

// Null: it is the standard's. CallError(MPI_ERR_ARG): it is none.
const UserErrhandler* find_errhandler(VirtualRank& me, MPI_Errhandler handle) {
  const UserErrhandler* own = me.errhandlers.find(handle);
  if (own == nullptr && !is_predefined_errhandler(handle))
    throw CallError(MPI_ERR_ARG, text("0x%08x is no error handler", static_cast<unsigned>(handle)));
  return own;
}

}  // namespace

const FailedCall& fail_as_asked(VirtualRank& me, int code) {
  return me.fail(code, text("the program calls the error handler with %d", code));
}

void check_errhandler(VirtualRank& me, MPI_Errhandler handle) {
  if (const UserErrhandler* own = find_errhandler(me, handle);
      own != nullptr && own->function == nullptr)
    throw CallError(MPI_ERR_ARG, "the error handler is for files");
}

namespace {

int make_errhandler(MPI_Comm_errhandler_function* function, MPI_Errhandler* handle) {
  return call_always("MPI_Comm_create_errhandler", needs(handle), [&](VirtualRank& me) {
    if (function == nullptr) throw CallError(MPI_ERR_ARG, "the function is a null pointer");
    *handle =
        me.errhandlers.add(std::make_unique<UserErrhandler>(UserErrhandler{.function = function}));
  });
}

// MPICH's C++ library: the function is C++'s.
void set_proxy(MPI_Errhandler handle, void (*proxy)()) {
  if (UserErrhandler* handler = VirtualRank::running().errhandlers.find(handle))
    handler->proxy = reinterpret_cast<UserErrhandler::Proxy>(proxy);
}

int set_errhandler(MPI_Comm communicator, MPI_Errhandler handle) {
  return call("MPI_Comm_set_errhandler", communicator, [&](VirtualRank& me) {
    check_errhandler(me, handle);
    me.communicator(communicator).errhandler = handle;
  });
}
int get_errhandler(MPI_Comm communicator, MPI_Errhandler* handle) {
  return call("MPI_Comm_get_errhandler", communicator, needs(handle), [&](VirtualRank& me) {
    *handle = me.name_errhandler(me.communicator(communicator).errhandler);
  });
}
// Objects that have it keep it, and its number is not used again before they go or have another.
int free_errhandler(MPI_Errhandler* handle) {
  return call_always("MPI_Errhandler_free", needs(handle), [&](VirtualRank& me) {
    find_errhandler(me, *handle);
    me.free_errhandler(*handle);
    *handle = MPI_ERRHANDLER_NULL;
  });
}
int set_errhandler_of_window(MPI_Win window, MPI_Errhandler handle) {
  return window_call("MPI_Win_set_errhandler", window, [&](VirtualRank& me, Window& w) {
    check_errhandler(me, handle);
    w.errhandler = handle;
  });
}
int get_errhandler_of_window(MPI_Win window, MPI_Errhandler* handle) {
  return window_call(
      "MPI_Win_get_errhandler", window, needs(handle),
      [&](VirtualRank& me, Window& w) { *handle = me.name_errhandler(w.errhandler); });
}
int call_errhandler_of_window(MPI_Win window, int code) {
  VirtualRank& me = VirtualRank::running();
  const int returned =
      tell_window_error(me, window, "MPI_Win_call_errhandler", fail_as_asked(me, code));
  return me.windows.find(window) == nullptr ? returned : MPI_SUCCESS;
}
int call_errhandler(MPI_Comm communicator, int code) {
  VirtualRank& me = VirtualRank::running();
  const int returned =
      tell_error(me, communicator, "MPI_Comm_call_errhandler", fail_as_asked(me, code));
  return me.find_communicator(communicator) == nullptr ? returned : MPI_SUCCESS;
}

int error_class(int code, int* to) {
  return call_always("MPI_Error_class", needs(to),
                     [&](VirtualRank& me) { *to = me.own_errors.class_of(code); });
}
// Of a text that is longer than programs have room for, the begin.
int error_string(int code, char* to, int* length) {
  return call_always("MPI_Error_string", needs(to, length), [&](VirtualRank& me) {
    const std::string all = me.own_errors.text_of(code);
    *length = static_cast<int>(all.copy(to, MPI_MAX_ERROR_STRING - 1));
    to[*length] = '\0';
  });
}
int add_error_class(int* to) {
  return call_always("MPI_Add_error_class", needs(to), [&](VirtualRank& me) {
    *to = me.own_errors.add_class();
    me.predefined.last_used_code = me.own_errors.last();
  });
}
int add_error_code(int error_class, int* to) {
  return call_always("MPI_Add_error_code", needs(to), [&](VirtualRank& me) {
    *to = me.own_errors.add_code(error_class);
    me.predefined.last_used_code = me.own_errors.last();
  });
}
int add_error_string(int code, const char* string) {
  return call_always("MPI_Add_error_string", needs(string), [&](VirtualRank& me) {
    if (!me.own_errors.set_text(code, string))
      throw CallError(MPI_ERR_ARG, text("%d is no code that the program added", code));
  });
}

// MPICH's, which are MPI_Remove_error_class and its kin in MPI 4.1. A code whose class is gone
// stays.
void check_removed(VirtualRank& me, bool removed, int number, const char* what) {
  if (!removed)
    throw CallError(MPI_ERR_OTHER, text("%d is no %s that the program added", number, what));
  me.predefined.last_used_code = me.own_errors.last();
}
int remove_error_class(int error_class) {
  return call_always("MPIX_Delete_error_class", [&](VirtualRank& me) {
    check_removed(me, me.own_errors.remove_class(error_class), error_class, "error class");
  });
}
int remove_error_code(int code) {
  return call_always("MPIX_Delete_error_code", [&](VirtualRank& me) {
    check_removed(me, me.own_errors.remove_code(code), code, "error code");
  });
}
int remove_error_string(int code) {
  return call_always("MPIX_Delete_error_string", [&](VirtualRank& me) {
    check_removed(me, me.own_errors.set_text(code, {}), code, "error class or code");
  });
}

}  // namespace

void add_error_handler_calls() {
  add_call("MPI_Comm_create_errhandler", &make_errhandler);
  add_call("MPI_Errhandler_create", &make_errhandler);
  add_call("MPI_Session_create_errhandler", &make_errhandler);
  add_launcher_call("MPII_Errhandler_set_cxx", &set_proxy);
  add_call("MPI_Comm_set_errhandler", &set_errhandler);
  add_call("MPI_Errhandler_set", &set_errhandler);
  add_call("MPI_Comm_get_errhandler", &get_errhandler);
  add_call("MPI_Errhandler_get", &get_errhandler);
  add_call("MPI_Errhandler_free", &free_errhandler);
  add_call("MPI_Comm_call_errhandler", &call_errhandler);
  add_call("MPI_Win_create_errhandler", &make_errhandler);
  add_call("MPI_Win_set_errhandler", &set_errhandler_of_window);
  add_call("MPI_Win_get_errhandler", &get_errhandler_of_window);
  add_call("MPI_Win_call_errhandler", &call_errhandler_of_window);
  add_call("MPI_Error_class", &error_class);
  add_call("MPI_Error_string", &error_string);
  add_call("MPI_Add_error_class", &add_error_class);
  add_call("MPI_Add_error_code", &add_error_code);
  add_call("MPI_Add_error_string", &add_error_string);
  add_call("MPIX_Delete_error_class", &remove_error_class);
  add_call("MPIX_Delete_error_code", &remove_error_code);
  add_call("MPIX_Delete_error_string", &remove_error_string);
}

}  // namespace roam::mpi
