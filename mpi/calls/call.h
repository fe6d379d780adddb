#ifndef ROAM_MPI_CALLS_CALL_H_
#define ROAM_MPI_CALLS_CALL_H_

#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <new>
#include <string>

#include "mpi/calls/virtual_rank.h"
#include "mpi/image/process_symbols.h"
#include "roam/error.h"

// The frame of each function of MPI that programs call.
namespace roam::mpi {

// Has programs find `function` as MPI_... and, for profiling, as PMPI_...
template <class Function>
void add_call(const char* name, Function* function) {
  add_launcher_call(name, function);
  add_launcher_call(std::string("P") + name, function);
}

// The name of a function as a template's argument.
template <std::size_t kBytes>
struct Name {
  constexpr Name(const char (&name)[kBytes]) { std::copy_n(name, kBytes, text); }  // NOLINT
  char text[kBytes];
};
// One that takes a count comes in two: with counts of int, and of MPI_Count (MPI_..._c).
#define ROAM_BOTH(kName, kFunction, ...)                              \
  add_call(kName, &kFunction<kName, __VA_ARGS__ __VA_OPT__(, ) int>); \
  add_call(kName "_c", &kFunction<kName "_c", __VA_ARGS__ __VA_OPT__(, ) MPI_Count>)

// The same, whose displacements are of int, or of MPI_Aint.
#define ROAM_BOTH_V(kName, kFunction)           \
  add_call(kName, &kFunction<kName, int, int>); \
  add_call(kName "_c", &kFunction<kName "_c", MPI_Count, MPI_Aint>)

// Tells the error handler of the communicator (of MPI_COMM_WORLD, if it is none) and returns, if
// that does, the error class; MPI_SUCCESS, if it is a function of C++.
int tell_error(VirtualRank& me, MPI_Comm communicator, const char* name, const FailedCall& failed);
// The same of the error handler of another object: `object` is its handle, `whose` its words.
int tell_handler(VirtualRank& me, MPI_Errhandler handler, int object, const char* whose,
                 const char* name, const FailedCall& failed, int kind = kHandlerOfCommunicator);
// The same, of a window.
int tell_window_error(VirtualRank& me, MPI_Win window, const char* name, const FailedCall& failed);
// Of the handlers that have calls return their codes one is for C++, whose library throws them
// (MPI::ERRORS_THROW_EXCEPTIONS).
inline bool returns_codes(MPI_Errhandler handle) {
  return handle == MPI_ERRORS_RETURN || handle == MPIR_ERRORS_THROW_EXCEPTIONS;
}
inline bool is_predefined_errhandler(MPI_Errhandler handle) {
  return returns_codes(handle) || handle == MPI_ERRORS_ARE_FATAL || handle == MPI_ERRORS_ABORT;
}
// For calls by which a program calls an error handler itself.
const FailedCall& fail_as_asked(VirtualRank& me, int code);
// CallError(MPI_ERR_ARG): it is none, or for files.
void check_errhandler(VirtualRank& me, MPI_Errhandler handle);
// MPI is not to be called now: ends the job with a message.
[[noreturn]] void refuse_call(const VirtualRank& me, const char* name);

// While one lives, its virtual rank is in that call.
class InCall {
 public:
  InCall(VirtualRank& me, const char* name) : me_(me), outer_(me.call) { me.call = name; }
  ~InCall() { me_.call = outer_; }
  InCall(const InCall&) = delete;
  InCall& operator=(const InCall&) = delete;

 private:
  VirtualRank& me_;
  const char* const outer_;
};
// What a function that MPI has called has thrown, of the program's own libstdc++.
bool is_of_program(const std::exception& error);

// Of pointers that the program gives, and a call reads or writes through: that none is null.
struct Needs {
  bool all_there = true;
};
template <class... Things>
constexpr Needs needs(const Things*... pointers) {
  return {((pointers != nullptr) && ...)};
}

// Runs `body(me)`, which throws CallError where it cannot be done: `tell(me, failed)` says what is
// returned then. Also before MPI_Init and after MPI_Finalize. What the program throws itself goes
// through.
//
// The call is over when it is told: an error handler of the program's may move its virtual rank,
// and may leave by longjmp, which ends no frame. So nothing is held here then.
template <class Tell, class Body>
int call_telling(const char* name, Tell tell, Needs given, Body body) {
  VirtualRank& me = VirtualRank::running();
  const FailedCall* failed = nullptr;
  {
    const InCall in_call(me, name);
    try {
      if (!given.all_there) [[unlikely]]
        check_pointer(nullptr);
      body(me);
      return MPI_SUCCESS;
    } catch (const CallError& error) {
      failed = &me.fail(error.code, error.what());
    } catch (const Error& error) {
      failed = &me.fail(MPI_ERR_OTHER, error.what());
    } catch (const std::bad_alloc& error) {
      if (is_of_program(error)) throw;
      failed = &me.fail(MPI_ERR_NO_MEM, "there is no memory");
    } catch (const std::exception& error) {
      if (is_of_program(error)) throw;
      failed = &me.fail(MPI_ERR_INTERN, error.what());
    }
  }
  return tell(me, *failed);
}

template <class Tell, class Body>
int call_telling(const char* name, Tell tell, Body body) {
  return call_telling(name, tell, Needs(), body);
}

// What may be called at any time.
template <class Body>
int call_always(const char* name, Needs given, Body body) {
  return call_telling(
      name,
      [name](VirtualRank& me, const FailedCall& failed) {
        return tell_error(me, MPI_COMM_WORLD, name, failed);
      },
      given, body);
}
template <class Body>
int call_always(const char* name, Body body) {
  return call_always(name, Needs(), body);
}

// What is called between MPI_Init and MPI_Finalize, or while there is a session.
template <class Body>
int call(const char* name, MPI_Comm communicator, Needs given, Body body) {
  if (const VirtualRank& me = VirtualRank::running(); !me.is_open()) [[unlikely]]
    refuse_call(me, name);
  return call_telling(
      name,
      [name, communicator](VirtualRank& me, const FailedCall& failed) {
        return tell_error(me, communicator, name, failed);
      },
      given, body);
}
template <class Body>
int call(const char* name, MPI_Comm communicator, Body body) {
  return call(name, communicator, Needs(), body);
}
template <class Body>
int window_call(const char* name, MPI_Win window, Needs given, Body body) {
  if (const VirtualRank& me = VirtualRank::running(); !me.is_open()) [[unlikely]]
    refuse_call(me, name);
  return call_telling(
      name,
      [name, window](VirtualRank& me, const FailedCall& failed) {
        return tell_window_error(me, window, name, failed);
      },
      given, [&](VirtualRank& me) { body(me, me.windows.window(window)); });
}
template <class Body>
int window_call(const char* name, MPI_Win window, Body body) {
  return window_call(name, window, Needs(), body);
}

// What MPICH does for mpi_f08 when it begins: its Fortran library, and what else the program has
// loaded, is told the addresses that stand for absent weights in C. Context: a virtual rank.
void set_constants_of_fortran();

// Each chapter has its functions known.
void add_environment_calls();
void add_message_calls();
void add_request_calls();
void add_generalized_request_calls();
void add_partitioned_calls();
void add_session_calls();
void add_tool_calls();
void add_error_handler_calls();
void add_info_calls();
void add_group_calls();
void add_attribute_calls();
void add_communicator_calls();
void add_intercommunicator_calls();
void add_collective_calls();
void add_reduction_calls();
void add_topology_calls();
void add_neighbour_calls();
void add_type_calls();
void add_conversion_calls();
void add_file_calls();
void add_file_view_calls();
void add_file_access_calls();
void add_window_calls();
void add_window_access_calls();
void add_window_epoch_calls();
void add_missing_calls();
// All of them.
void add_mpi_calls();

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_CALL_H_
