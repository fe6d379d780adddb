#ifndef ROAM_MPI_CALLS_CALL_H_
#define ROAM_MPI_CALLS_CALL_H_

#include <mpi.h>

#include <algorithm>
#include <cstddef>
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

// Tells the error handler of the communicator (of MPI_COMM_WORLD, if it is none) and returns the
// error class, if that returns.
int tell_error(VirtualRank& me, MPI_Comm communicator, const char* name, const CallError& failure);
// MPI is not to be called now: ends the job with a message.
[[noreturn]] void refuse_call(const VirtualRank& me, const char* name);

// Runs `body(me)`, which throws CallError where it cannot be done.
template <class Body>
int call(const char* name, MPI_Comm communicator, Body body) {
  VirtualRank& me = VirtualRank::running();
  if (me.state != VirtualRank::State::kInside) [[unlikely]]
    refuse_call(me, name);
  const char* const outer = me.call;
  me.call = name;
  int result = MPI_SUCCESS;
  try {
    body(me);
  } catch (const CallError& failure) {
    result = tell_error(me, communicator, name, failure);
  } catch (const Error& error) {
    result = tell_error(me, communicator, name, CallError(MPI_ERR_OTHER, error.what()));
  } catch (const std::bad_alloc&) {
    result = tell_error(me, communicator, name, CallError(MPI_ERR_NO_MEM, "there is no memory"));
  }
  me.call = outer;
  return result;
}

// Each chapter has its functions known.
void add_environment_calls();
void add_message_calls();
void add_request_calls();
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
void add_missing_calls();
// All of them.
void add_mpi_calls();

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_CALL_H_
