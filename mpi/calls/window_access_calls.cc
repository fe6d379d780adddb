// Operations on windows (chapter 11.3 of the standard).

#include <memory>
#include <utility>

#include "mpi/calls/call.h"
#include "mpi/calls/messages.h"
#include "mpi/calls/window_access.h"

namespace roam::mpi {
namespace {

using What = WindowMessage::Kind;

// Begins the operation, with a request if there is room for one. What is brought is a copy at once,
// so the request of what fetches nothing is done.
MPI_Request no_request = MPI_REQUEST_NULL;  // its address is where none goes
int access(const char* name, MPI_Win window, const Access& a, MPI_Request* handle = &no_request,
           Needs given = {}) {
  given.all_there = given.all_there && handle != nullptr;
  return window_call(name, window, given, [&](VirtualRank& me, Window& w) {
    std::shared_ptr<Fetch> fetch = begin_access(me, w, a, handle != &no_request);
    if (handle == &no_request) return;
    // What is there already is not waited for, and a program that asks in a loop lets others run.
    if (fetch == nullptr || fetch->has_come()) me.look_around();
    auto request = std::make_unique<Request>();
    request->status = empty_status();
    request->started = true;
    request->window = window;
    if (fetch != nullptr) {
      request->kind = Request::Kind::kFetch;
      request->done = false;
      request->fetch = std::move(fetch);
    }
    *handle = me.requests.add(std::move(request));
  });
}

template <class Count>
Access put_of(const void* data, Count count, MPI_Datatype type, int target, MPI_Aint displacement,
              Count target_count, MPI_Datatype target_type) {
  return {.kind = What::kPut,
          .data = data,
          .count = count,
          .type = type,
          .target = target,
          .displacement = displacement,
          .target_count = target_count,
          .target_type = target_type};
}
template <Name kName, class Count>
int put(const void* data, Count count, MPI_Datatype type, int target, MPI_Aint displacement,
        Count target_count, MPI_Datatype target_type, MPI_Win window) {
  return access(kName.text, window,
                put_of(data, count, type, target, displacement, target_count, target_type));
}
template <Name kName, class Count>
int put_with_request(const void* data, Count count, MPI_Datatype type, int target,
                     MPI_Aint displacement, Count target_count, MPI_Datatype target_type,
                     MPI_Win window, MPI_Request* request) {
  return access(kName.text, window,
                put_of(data, count, type, target, displacement, target_count, target_type),
                request);
}

template <class Count>
Access get_of(void* data, Count count, MPI_Datatype type, int target, MPI_Aint displacement,
              Count target_count, MPI_Datatype target_type) {
  return {.kind = What::kGet,
          .target = target,
          .displacement = displacement,
          .target_count = target_count,
          .target_type = target_type,
          .result = data,
          .result_count = count,
          .result_type = type};
}
template <Name kName, class Count>
int get(void* data, Count count, MPI_Datatype type, int target, MPI_Aint displacement,
        Count target_count, MPI_Datatype target_type, MPI_Win window) {
  return access(kName.text, window,
                get_of(data, count, type, target, displacement, target_count, target_type));
}
template <Name kName, class Count>
int get_with_request(void* data, Count count, MPI_Datatype type, int target, MPI_Aint displacement,
                     Count target_count, MPI_Datatype target_type, MPI_Win window,
                     MPI_Request* request) {
  return access(kName.text, window,
                get_of(data, count, type, target, displacement, target_count, target_type),
                request);
}

template <class Count>
Access accumulate_of(const void* data, Count count, MPI_Datatype type, int target,
                     MPI_Aint displacement, Count target_count, MPI_Datatype target_type,
                     MPI_Op op) {
  Access a = put_of(data, count, type, target, displacement, target_count, target_type);
  a.kind = What::kAccumulate;
  a.op = op;
  return a;
}
template <Name kName, class Count>
int accumulate(const void* data, Count count, MPI_Datatype type, int target, MPI_Aint displacement,
               Count target_count, MPI_Datatype target_type, MPI_Op op, MPI_Win window) {
  return access(
      kName.text, window,
      accumulate_of(data, count, type, target, displacement, target_count, target_type, op));
}
template <Name kName, class Count>
int accumulate_with_request(const void* data, Count count, MPI_Datatype type, int target,
                            MPI_Aint displacement, Count target_count, MPI_Datatype target_type,
                            MPI_Op op, MPI_Win window, MPI_Request* request) {
  return access(
      kName.text, window,
      accumulate_of(data, count, type, target, displacement, target_count, target_type, op),
      request);
}

template <class Count>
Access get_accumulate_of(const void* data, Count count, MPI_Datatype type, void* result,
                         Count result_count, MPI_Datatype result_type, int target,
                         MPI_Aint displacement, Count target_count, MPI_Datatype target_type,
                         MPI_Op op) {
  Access a = accumulate_of(data, count, type, target, displacement, target_count, target_type, op);
  a.kind = What::kGetAccumulate;
  a.result = result;
  a.result_count = result_count;
  a.result_type = result_type;
  return a;
}
template <Name kName, class Count>
int get_accumulate(const void* data, Count count, MPI_Datatype type, void* result,
                   Count result_count, MPI_Datatype result_type, int target, MPI_Aint displacement,
                   Count target_count, MPI_Datatype target_type, MPI_Op op, MPI_Win window) {
  return access(kName.text, window,
                get_accumulate_of(data, count, type, result, result_count, result_type, target,
                                  displacement, target_count, target_type, op));
}
template <Name kName, class Count>
int get_accumulate_with_request(const void* data, Count count, MPI_Datatype type, void* result,
                                Count result_count, MPI_Datatype result_type, int target,
                                MPI_Aint displacement, Count target_count, MPI_Datatype target_type,
                                MPI_Op op, MPI_Win window, MPI_Request* request) {
  return access(kName.text, window,
                get_accumulate_of(data, count, type, result, result_count, result_type, target,
                                  displacement, target_count, target_type, op),
                request);
}

int fetch_and_op(const void* data, void* result, MPI_Datatype type, int target,
                 MPI_Aint displacement, MPI_Op op, MPI_Win window) {
  return access(
      "MPI_Fetch_and_op", window,
      get_accumulate_of(data, 1, type, result, 1, type, target, displacement, 1, type, op),
      &no_request, needs(result, op == MPI_NO_OP ? result : data));
}
int compare_and_swap(const void* data, const void* compared, void* result, MPI_Datatype type,
                     int target, MPI_Aint displacement, MPI_Win window) {
  return access("MPI_Compare_and_swap", window,
                {.kind = What::kCompareAndSwap,
                 .data = data,
                 .count = 1,
                 .type = type,
                 .target = target,
                 .displacement = displacement,
                 .target_count = 1,
                 .target_type = type,
                 .result = result,
                 .result_count = 1,
                 .result_type = type,
                 .compared = compared},
                &no_request, needs(data, compared, result));
}

}  // namespace

void add_window_access_calls() {
  ROAM_BOTH("MPI_Put", put);
  ROAM_BOTH("MPI_Rput", put_with_request);
  ROAM_BOTH("MPI_Get", get);
  ROAM_BOTH("MPI_Rget", get_with_request);
  ROAM_BOTH("MPI_Accumulate", accumulate);
  ROAM_BOTH("MPI_Raccumulate", accumulate_with_request);
  ROAM_BOTH("MPI_Get_accumulate", get_accumulate);
  ROAM_BOTH("MPI_Rget_accumulate", get_accumulate_with_request);
  add_call("MPI_Fetch_and_op", &fetch_and_op);
  add_call("MPI_Compare_and_swap", &compare_and_swap);
}

}  // namespace roam::mpi
