// Waiting for requests, testing them, persistent ones, and what a status says.

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/messages.h"
#include "mpi/calls/request_frame.h"
#include "mpi/datatype/elements.h"

namespace roam::mpi {
namespace {

// Null: MPI_REQUEST_NULL, or a persistent one that is not started.
Request* active(VirtualRank& me, MPI_Request handle) {
  if (handle == MPI_REQUEST_NULL) return nullptr;
  Request* request = me.requests.find(handle);
  if (request == nullptr) {
    throw CallError(MPI_ERR_REQUEST,
                    text("0x%08x is no request, or has ended", static_cast<unsigned>(handle)));
  }
  return request->started ? request : nullptr;
}

template <class Body>
int call_of_request(const char* name, const MPI_Request* handle, Needs given, Body body) {
  const Request* named =
      handle == nullptr ? nullptr : VirtualRank::running().requests.find(*handle);
  return call_of_one(name, named, {given.all_there && handle != nullptr}, body);
}
template <class Body>
int call_of_request(const char* name, const MPI_Request* handle, Body body) {
  return call_of_request(name, handle, Needs(), body);
}

// Its end is told: it is gone, unless it is persistent. What the function that frees a generalized
// one returned.
int take(VirtualRank& me, MPI_Request* handle, Request* request, MPI_Status* status) {
  tell(*request, status);
  request->started = false;
  me.unwatch(request);
  if (request->persistent) return MPI_SUCCESS;
  const std::unique_ptr<Request> removed = me.requests.remove(*handle);
  *handle = MPI_REQUEST_NULL;
  return removed->generalized == nullptr ? MPI_SUCCESS : removed->generalized->free_it();
}

// The error that it ended with is thrown when it has been taken.
void take_and_check(VirtualRank& me, MPI_Request* handle, Request* request, MPI_Status* status) {
  ask_status(request);
  std::unique_ptr<CallError> failure;
  try {
    check(*request);
  } catch (const CallError& f) {
    failure = std::make_unique<CallError>(f);
  }
  const int error = take(me, handle, request, status);
  if (failure != nullptr) throw CallError(*failure);
  if (error != MPI_SUCCESS)
    throw CallError(error, text("the function that frees a request returned %d", error));
}

void put(const MPI_Status& what, MPI_Status* status) {
  if (status != MPI_STATUS_IGNORE) *status = what;
}

MPI_Status* nth(MPI_Status* statuses, int i) {
  return statuses == MPI_STATUSES_IGNORE ? MPI_STATUS_IGNORE : statuses + i;
}

int wait(MPI_Request* handle, MPI_Status* status) {
  return call_of_request("MPI_Wait", handle, needs(status), [&](VirtualRank& me) {
    Request* request = active(me, *handle);
    if (request == nullptr) return put(empty_status(), status);
    wait_for(me, request);
    take_and_check(me, handle, request, status);
  });
}

int test(MPI_Request* handle, int* done, MPI_Status* status) {
  return call_of_request("MPI_Test", handle, needs(done, status), [&](VirtualRank& me) {
    *done = 1;
    Request* request = active(me, *handle);
    if (request == nullptr) return put(empty_status(), status);
    if (!advance(request)) {
      me.look_around();
      if (!advance(request)) {
        *done = 0;
        return;
      }
    }
    take_and_check(me, handle, request, status);
  });
}

bool all_done(VirtualRank& me, int count, const MPI_Request* handles) {
  bool all = true;
  for (int i = 0; i < count; ++i) {
    Request* request = active(me, handles[i]);
    if (request != nullptr && !advance(request)) all = false;
  }
  return all;
}

// Several that are taken. If some have failed, or fail as they are freed: MPI_ERR_IN_STATUS, and
// each status says how; else statuses keep the MPI_ERROR that they have.
class Taking {
 public:
  explicit Taking(MPI_Status* statuses) : statuses_(statuses) {}

  void take_next(VirtualRank& me, MPI_Request* handle, Request* request) {
    MPI_Status* status = nth(statuses_, taken_);
    int error = MPI_SUCCESS;
    if (request == nullptr) {
      put(empty_status(), status);
    } else {
      ask_status(request);
      error = request->error;
      const int freed = take(me, handle, request, status);
      if (error == MPI_SUCCESS) error = freed;
    }
    if (error != MPI_SUCCESS) errors_.emplace_back(taken_, error);
    ++taken_;
  }
  int taken() const { return taken_; }
  void check() const {
    if (errors_.empty()) return;
    if (statuses_ != MPI_STATUSES_IGNORE) {
      for (int i = 0; i < taken_; ++i) statuses_[i].MPI_ERROR = MPI_SUCCESS;
      for (const auto& [at, error] : errors_) statuses_[at].MPI_ERROR = error;
    }
    throw CallError(MPI_ERR_IN_STATUS, "some of the requests failed; their statuses say how");
  }

 private:
  MPI_Status* statuses_;
  int taken_ = 0;
  std::vector<std::pair<int, int>> errors_;  // which of them, and how
};

// Of all of them, which are done.
void take_all(VirtualRank& me, int count, MPI_Request* handles, MPI_Status* statuses) {
  Taking all(statuses);
  for (int i = 0; i < count; ++i) all.take_next(me, &handles[i], active(me, handles[i]));
  all.check();
}

void check_count(int count) {
  if (count < 0) throw CallError(MPI_ERR_COUNT, text("the count of requests is %d", count));
}

int wait_all(int count, MPI_Request* handles, MPI_Status* statuses) {
  return call("MPI_Waitall", MPI_COMM_WORLD, needs(if_any(count, handles), if_any(count, statuses)),
              [&](VirtualRank& me) {
                check_count(count);
                // In their order, so that each is looked at once while it waits.
                for (int i = 0; i < count; ++i) {
                  if (Request* request = active(me, handles[i])) wait_for(me, request);
                }
                take_all(me, count, handles, statuses);
              });
}

int test_all(int count, MPI_Request* handles, int* done, MPI_Status* statuses) {
  return call("MPI_Testall", MPI_COMM_WORLD,
              needs(if_any(count, handles), done, if_any(count, statuses)), [&](VirtualRank& me) {
                check_count(count);
                if (!all_done(me, count, handles)) {
                  me.look_around();
                  if (!all_done(me, count, handles)) {
                    *done = 0;
                    return;
                  }
                }
                *done = 1;
                take_all(me, count, handles, statuses);
              });
}

// The index of one that is done; MPI_UNDEFINED: none is active; -1: none is done.
int find_done(VirtualRank& me, int count, const MPI_Request* handles) {
  int found = MPI_UNDEFINED;
  for (int i = 0; i < count; ++i) {
    Request* request = active(me, handles[i]);
    if (request == nullptr) continue;
    if (advance(request)) return i;
    found = -1;
  }
  return found;
}

int wait_any(int count, MPI_Request* handles, int* index, MPI_Status* status) {
  return call("MPI_Waitany", MPI_COMM_WORLD, needs(if_any(count, handles), index, status),
              [&](VirtualRank& me) {
                check_count(count);
                me.wait_until([&] { return (*index = find_done(me, count, handles)) != -1; });
                if (*index == MPI_UNDEFINED) return put(empty_status(), status);
                take_and_check(me, &handles[*index], me.requests.find(handles[*index]), status);
              });
}

int test_any(int count, MPI_Request* handles, int* index, int* done, MPI_Status* status) {
  return call("MPI_Testany", MPI_COMM_WORLD, needs(if_any(count, handles), index, done, status),
              [&](VirtualRank& me) {
                check_count(count);
                *index = find_done(me, count, handles);
                if (*index == -1) {
                  me.look_around();
                  *index = find_done(me, count, handles);
                }
                *done = *index == -1 ? 0 : 1;
                if (*index == -1) {
                  *index = MPI_UNDEFINED;
                } else if (*index == MPI_UNDEFINED) {
                  put(empty_status(), status);
                } else {
                  take_and_check(me, &handles[*index], me.requests.find(handles[*index]), status);
                }
              });
}

// Takes all that are done.
void take_some(VirtualRank& me, int count, MPI_Request* handles, int* taken, int* indexes,
               MPI_Status* statuses) {
  Taking some(statuses);
  for (int i = 0; i < count; ++i) {
    Request* request = active(me, handles[i]);
    if (request == nullptr || !advance(request)) continue;
    some.take_next(me, &handles[i], request);
    indexes[some.taken() - 1] = i;
  }
  *taken = some.taken();
  some.check();
}

int wait_some(int count, MPI_Request* handles, int* taken, int* indexes, MPI_Status* statuses) {
  return call("MPI_Waitsome", MPI_COMM_WORLD,
              needs(if_any(count, handles), taken, if_any(count, indexes), if_any(count, statuses)),
              [&](VirtualRank& me) {
                check_count(count);
                int found = -1;
                me.wait_until([&] { return (found = find_done(me, count, handles)) != -1; });
                if (found == MPI_UNDEFINED) {
                  *taken = MPI_UNDEFINED;
                  return;
                }
                take_some(me, count, handles, taken, indexes, statuses);
              });
}

int test_some(int count, MPI_Request* handles, int* taken, int* indexes, MPI_Status* statuses) {
  return call("MPI_Testsome", MPI_COMM_WORLD,
              needs(if_any(count, handles), taken, if_any(count, indexes), if_any(count, statuses)),
              [&](VirtualRank& me) {
                check_count(count);
                int found = find_done(me, count, handles);
                if (found == -1) {
                  me.look_around();
                  found = find_done(me, count, handles);
                }
                *taken = found == MPI_UNDEFINED ? MPI_UNDEFINED : 0;
                if (found >= 0) take_some(me, count, handles, taken, indexes, statuses);
              });
}

int get_status(MPI_Request handle, int* done, MPI_Status* status) {
  return call_of_request("MPI_Request_get_status", &handle, needs(done, status),
                         [&](VirtualRank& me) {
                           Request* request = active(me, handle);
                           *done = 1;
                           if (request == nullptr) return put(empty_status(), status);
                           if (!advance(request)) me.look_around();
                           *done = advance(request) ? 1 : 0;
                           if (*done == 0) return;
                           ask_status(request);
                           tell(*request, status);
                           if (request->generalized != nullptr) check(*request);
                         });
}

// What is under way goes on; nobody is told of its end. A generalized one has its number until the
// program says that it is done.
int free_request(MPI_Request* handle) {
  return call_of_request("MPI_Request_free", handle, [&](VirtualRank& me) {
    if (Request* own = me.requests.find(*handle); own != nullptr && own->generalized != nullptr) {
      MPI_Request given = *handle;
      *handle = MPI_REQUEST_NULL;
      own->generalized->given_back = true;
      if (!own->done) return;
      if (const int error = take(me, &given, own, MPI_STATUS_IGNORE); error != MPI_SUCCESS)
        throw CallError(error, text("the function that frees a request returned %d", error));
      return;
    }
    std::unique_ptr<Request> request = me.requests.remove(*handle);
    if (request == nullptr)
      throw CallError(MPI_ERR_REQUEST,
                      text("0x%08x is no request", static_cast<unsigned>(*handle)));
    *handle = MPI_REQUEST_NULL;
    me.unwatch(request.get());
    if (request->started && !advance(request.get())) return me.keep_to_its_end(std::move(request));
    if (request->partitions != nullptr) me.keep_until_known(std::move(request->partitions));
  });
}

int cancel_request(MPI_Request* handle) {
  return call_of_request("MPI_Cancel", handle, [&](VirtualRank& me) {
    if (*handle == MPI_REQUEST_NULL)
      throw CallError(MPI_ERR_REQUEST, "MPI_REQUEST_NULL cannot be cancelled");
    if (Request* request = active(me, *handle)) cancel(request);
  });
}

// `*started`: nothing was wrong. What is returned does not say so where the error handler is C++'s.
int start_one(MPI_Request* handle, bool* started) {
  return call_of_request("MPI_Start", handle, [&](VirtualRank& me) {
    Request* request = me.requests.find(*handle);
    if (request == nullptr || !request->persistent || request->started) {
      throw CallError(MPI_ERR_REQUEST,
                      text("0x%08x is no persistent request that waits to be started",
                           static_cast<unsigned>(*handle)));
    }
    start(me, request);
    *started = true;
  });
}
int start_request(MPI_Request* handle) {
  bool started = false;
  return start_one(handle, &started);
}

int start_all(int count, MPI_Request* handles) {
  bool good = false;
  int code = call("MPI_Startall", MPI_COMM_WORLD, needs(if_any(count, handles)), [&](VirtualRank&) {
    check_count(count);
    good = true;
  });
  for (int i = 0; i < count && good; ++i) {
    good = false;
    code = start_one(&handles[i], &good);
  }
  return code;
}

// ---- statuses ----

// One that is ignored says nothing.
const MPI_Status* there(const MPI_Status* status) {
  return status == MPI_STATUS_IGNORE ? nullptr : status;
}

// MPI_UNDEFINED where the count has no room for the number.
template <class Count>
void put_count(MPI_Count found, Count* count) {
  *count = static_cast<Count>(found);
  if (MPI_Count{*count} != found) *count = MPI_UNDEFINED;
}
template <Name kName, class Count>
int count_of(const MPI_Status* status, MPI_Datatype type, Count* count) {
  return call(kName.text, MPI_COMM_WORLD, needs(there(status), count), [&](VirtualRank& me) {
    put_count(get_count(bytes_in(*status), *Type(me, type)), count);
  });
}
template <Name kName, class Count>
int elements_of(const MPI_Status* status, MPI_Datatype type, Count* count) {
  return call(kName.text, MPI_COMM_WORLD, needs(there(status), count), [&](VirtualRank& me) {
    put_count(get_elements(bytes_in(*status), *Type(me, type)), count);
  });
}

int test_cancelled(const MPI_Status* status, int* cancelled) {
  return call_always("MPI_Test_cancelled", needs(there(status), cancelled),
                     [&](VirtualRank&) { *cancelled = is_cancelled(*status) ? 1 : 0; });
}

int set_status_cancelled(MPI_Status* status, int cancelled) {
  return call_always("MPI_Status_set_cancelled", needs(there(status)),
                     [&](VirtualRank&) { set_cancelled(status, cancelled != 0); });
}

// Fortran's status is C's, as integers.
template <class Count>
int set_elements(MPI_Status* status, MPI_Datatype type, Count count) {
  return call("MPI_Status_set_elements", MPI_COMM_WORLD, needs(there(status)),
              [&](VirtualRank& me) {
                if (count < 0) throw CallError(MPI_ERR_COUNT, "a negative count of elements");
                set_bytes(status, bytes_of_elements(count, *Type(me, type)));
              });
}

}  // namespace

void add_request_calls() {
  add_call("MPI_Wait", &wait);
  add_call("MPI_Test", &test);
  add_call("MPI_Waitall", &wait_all);
  add_call("MPI_Testall", &test_all);
  add_call("MPI_Waitany", &wait_any);
  add_call("MPI_Testany", &test_any);
  add_call("MPI_Waitsome", &wait_some);
  add_call("MPI_Testsome", &test_some);
  add_call("MPI_Request_get_status", &get_status);
  add_call("MPI_Request_free", &free_request);
  add_call("MPI_Cancel", &cancel_request);
  add_call("MPI_Start", &start_request);
  add_call("MPI_Startall", &start_all);
  ROAM_BOTH("MPI_Get_count", count_of);
  ROAM_BOTH("MPI_Get_elements", elements_of);
  add_call("MPI_Get_elements_x", &elements_of<"MPI_Get_elements_x", MPI_Count>);
  add_call("MPI_Test_cancelled", &test_cancelled);
  add_call("MPI_Status_set_cancelled", &set_status_cancelled);
  add_call("MPI_Status_set_elements", &set_elements<int>);
  add_call("MPI_Status_set_elements_x", &set_elements<MPI_Count>);
  add_call("MPI_Status_set_elements_c", &set_elements<MPI_Count>);
}

}  // namespace roam::mpi
