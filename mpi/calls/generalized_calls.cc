// Requests of the program's own (chapter 13.2 of the standard): it says when they are done.

#include <memory>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/messages.h"

namespace roam::mpi {
namespace {

Request& generalized(VirtualRank& me, MPI_Request handle) {
  Request* request = me.requests.find(handle);
  if (request == nullptr || request->kind != Request::Kind::kGeneralized) {
    throw CallError(MPI_ERR_REQUEST,
                    text("0x%08x is no generalized request", static_cast<unsigned>(handle)));
  }
  return *request;
}

int begin(MPI_Grequest_query_function* query, MPI_Grequest_free_function* free,
          MPI_Grequest_cancel_function* cancel, void* extra, MPI_Request* handle) {
  return call("MPI_Grequest_start", MPI_COMM_WORLD, needs(handle), [&](VirtualRank& me) {
    if (query == nullptr || free == nullptr || cancel == nullptr)
      throw CallError(MPI_ERR_ARG, "a function of a generalized request is a null pointer");
    auto request = std::make_unique<Request>();
    request->kind = Request::Kind::kGeneralized;
    request->generalized = std::make_unique<Generalized>(Generalized{query, free, cancel, extra});
    request->started = true;
    request->done = false;
    *handle = me.requests.add(std::move(request));
  });
}

// One that the program has given back already is gone then.
int complete(MPI_Request handle) {
  return call("MPI_Grequest_complete", MPI_COMM_WORLD, [&](VirtualRank& me) {
    Request& request = generalized(me, handle);
    request.done = true;
    if (!request.generalized->given_back) return;
    const std::unique_ptr<Request> removed = me.requests.remove(handle);
    if (const int error = removed->generalized->free_it(); error != MPI_SUCCESS)
      throw CallError(error, text("the function that frees a request returned %d", error));
  });
}

// MPICH's Fortran library: the functions of that request are Fortran's.
void set_fortran(MPI_Request handle) {
  generalized(VirtualRank::running(), handle).generalized->fortran = true;
}

}  // namespace

namespace {

// Fortran's functions take references, and give what they return behind their arguments.
template <class Function, class... Arguments>
int call_fortran(Function* function, Arguments... arguments) {
  int error = MPI_SUCCESS;
  const auto plain = reinterpret_cast<void (*)()>(function);
  reinterpret_cast<void (*)(Arguments..., int*)>(plain)(arguments..., &error);
  return error;
}

}  // namespace

int Generalized::ask_status(MPI_Status* status) const {
  return fortran ? call_fortran(query, extra, status) : query(extra, status);
}
int Generalized::free_it() const { return fortran ? call_fortran(free, extra) : free(extra); }
int Generalized::cancel_it(bool is_done) const {
  int done = is_done ? 1 : 0;
  return fortran ? call_fortran(cancel, extra, &done) : cancel(extra, done);
}

void add_generalized_request_calls() {
  add_call("MPI_Grequest_start", &begin);
  add_call("MPI_Grequest_complete", &complete);
  add_launcher_call("MPII_Grequest_set_lang_f77", &set_fortran);
}

}  // namespace roam::mpi
