// The public calls of roam/team.h and roam/request.h.

#include <cmath>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "isomalloc/in_process.h"
#include "roam/team.h"
#include "runtime/api/caller.h"
#include "runtime/api/member_collectives.h"
#include "runtime/api/member_messages.h"
#include "runtime/balancing/place_head.h"
#include "runtime/job/job.h"
#include "runtime/teams/member.h"
#include "runtime/teams/requests.h"
#include "threads/child.h"
#include "threads/scheduler.h"

namespace roam {

using detail::CollectiveCall;
using detail::CollectiveKind;
using detail::Member;
using detail::RequestState;
using detail::Tcb;
using runtime::the_job;
using threads::scheduler;

namespace {

constexpr int kMostTag = 1 << 30;
// Tags of the runtime's own messages lie below kAny.
constexpr int kFirstOwnTag = -2;
constexpr std::uint32_t kOwnTags = 1 << 20;

Member& require_member(std::uint64_t team, const char* call) {
  const Tcb* self = runtime::require_thread(call);
  Member* me = member_of(self);
  if (me == nullptr || me->team != team) {
    throw Error(Errc::not_in_team,
                text("%s: thread '%s' is not a member of team %llu; only members can call it", call,
                     self->name(), static_cast<unsigned long long>(team)));
  }
  return *me;
}

void check_peer(const Member& me, int peer, int tag, bool any, const char* call) {
  if (!(any && peer == kAny) && (peer < 0 || peer >= me.size)) {
    throw Error(Errc::no_such_member,
                text("%s: there is no member %d; the team has 0 to %d", call, peer, me.size - 1));
  }
  if (!(any && tag == kAny) && (tag < 0 || tag > kMostTag)) {
    throw Error(Errc::bad_option, text("%s: the tag is %d; allowed are 0 to %d%s", call, tag,
                                       kMostTag, any ? ", and kAny" : ""));
  }
}

// Of a part of an alltoall that is done, whoever asks. It is also over with its member.
void check_part(const RequestState& part) {
  if (part.kind != RequestState::Kind::kReceive || part.error == Errc::thread_ended) return;
  ROAM_CHECK(part.error == Errc{} && part.bytes == part.room,
             "members of a team disagree in alltoall: member %d sends parts of %zu bytes, and "
             "another takes parts of %zu. All members must make the same calls in the same order.",
             part.from, part.bytes, part.room);
}

bool is_done(const RequestState* request) {
  if (request->kind != RequestState::Kind::kMany) return request->done;
  for (std::size_t i = 0; i < request->part_count; ++i) {
    if (!request->parts[i].done) return false;
    check_part(request->parts[i]);
  }
  return true;
}

// Whether the calling thread is the one that started it.
bool is_mine(const RequestState* request) {
  const Tcb* self = runtime::current_thread();
  return self != nullptr && self->id.load(std::memory_order_relaxed) == request->owner;
}

// Where what is not done may be waited for.
// Errors: Error(not_in_thread); Error(bad_option) in another thread than its own.
void require_mine(const RequestState* request, const char* call) {
  const Tcb* self = runtime::require_thread(call);
  if (is_mine(request)) [[likely]]
    return;
  throw Error(Errc::bad_option, text("%s: the request was started by another thread than '%s', and "
                                     "is not done: the one that started it waits for it",
                                     call, self->name()));
}

std::uint64_t id_of_caller() { return scheduler().current()->id.load(std::memory_order_relaxed); }

const char* name_of(const RequestState* request) {
  switch (request->kind) {
    case RequestState::Kind::kSend:
      return "a message to be received";
    case RequestState::Kind::kCollective:
    case RequestState::Kind::kMany:
      return "the other members of the team";
    default:
      return "a message";
  }
}

// Waits until `done()`. The thread may be moved meanwhile: nothing of a rank is remembered.
template <class Done>
void wait_until(const char* what, Done done) {
  while (!done()) runtime::wait_for_news(what);
}
void wait_for(const RequestState* request) {
  if (!is_done(request)) wait_until(name_of(request), [request] { return is_done(request); });
}

// Sends, once there is room for it.
void send_with_room(std::uint64_t team, int to, int tag, const void* data, std::size_t bytes,
                    RequestState* request, const char* call) {
  for (;;) {
    const bool sent = iso::in_process([&] {
      Member& me = require_member(team, call);
      check_peer(me, to, tag, false, call);
      return the_job().post().send(me, {to, tag, data, bytes}, request);
    });
    if (sent) [[likely]]
      return;
    Member* me = member_of(scheduler().current());
    wait_until("room", [me] { return !me->mailbox.room().full(me->full->room); });
    me->full = nullptr;
  }
}

Received received(const RequestState& r) {
  return {r.from, r.tag, r.bytes / r.element_bytes, r.forwards};
}

// What a finished receive says: throws if it did not take its message.
void check_received(const RequestState& r, std::size_t room) {
  if (r.error == Errc::message_too_long) {
    throw Error(
        Errc::message_too_long,
        text("recv: the message from member %d with tag %d has %zu bytes, and there is room "
             "for %zu. It can still be received.",
             r.from, r.tag, r.bytes, room));
  }
  if (r.error == Errc::thread_ended) {
    throw Error(Errc::thread_ended,
                "recv: the member that this receive is of ended before a message came");
  }
  if (r.error != Errc{}) detail::throw_wrong_length(r.bytes, r.element_bytes);
}

RequestState make_receive(int from, int tag, void* data, std::size_t bytes,
                          std::size_t element_bytes) {
  RequestState r;
  r.kind = RequestState::Kind::kReceive;
  r.from = from;
  r.tag = tag;
  r.data = data;
  r.bytes = r.room = bytes;
  r.element_bytes = element_bytes;
  return r;
}

}  // namespace

// ---- requests ----

namespace detail {

void throw_wrong_length(std::size_t bytes, std::size_t element_bytes) {
  throw Error(
      Errc::bad_option,
      text("recv: a message of %zu bytes is no whole number of elements of %zu bytes. It can "
           "still be received.",
           bytes, element_bytes));
}

bool request_test(RequestState* request) {
  runtime::require_thread("Request::test");
  if (is_done(request)) return true;
  require_mine(request, "Request::test");
  runtime::look_for_news();
  return is_done(request);
}

Received request_wait(RequestState*& state) {
  runtime::require_thread("Request::wait");
  if (!is_done(state)) {
    require_mine(state, "Request::wait");
    wait_for(state);
  }
  RequestState* const request = std::exchange(state, nullptr);
  const RequestState r = *request;
  const std::unique_ptr<RequestState[]> parts(request->parts);
  delete request;
  for (std::size_t i = 0; i < r.part_count; ++i) {
    if (parts[i].error != Errc::thread_ended) continue;
    throw Error(Errc::thread_ended,
                "alltoall: the member that this request is of ended before all parts came");
  }
  if (r.kind == RequestState::Kind::kReceive) check_received(r, r.room);
  return r.kind == RequestState::Kind::kReceive ? received(r) : Received{};
}

void request_drop(RequestState* request) noexcept {
  Tcb* self = runtime::current_thread();
  if (the_job().running() && !threads::is_child && !is_done(request)) {
    ROAM_CHECK(is_mine(request),
               "a Request (%s) is destroyed before it is done, by another thread than the one that "
               "started it: wait for it or destroy it there",
               name_of(request));
    bool cancelled = false;
    if (request->kind == RequestState::Kind::kReceive) {
      iso::HeapScope process;
      cancelled = member_of(self)->mailbox.cancel(request);
      if (cancelled) runtime::unpin_for_request(self, request);
    }
    if (!cancelled) wait_for(request);
  }
  delete[] request->parts;
  delete request;
}

}  // namespace detail

std::size_t wait_any(std::span<const Request> requests) {
  runtime::require_thread("wait_any");
  const auto first_done = [&] {
    bool some = false;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const RequestState* state = RequestAccess::state(requests[i]);
      if (state == nullptr) continue;
      some = true;
      if (is_done(state)) return i;
      require_mine(state, "wait_any");
    }
    return some ? requests.size() + 1 : requests.size();
  };
  std::size_t found = first_done();
  if (found > requests.size()) {
    wait_until("any of its messages", [&] { return (found = first_done()) <= requests.size(); });
  }
  return found;
}

void wait_all(std::span<Request> requests) {
  std::exception_ptr failure;
  for (Request& request : requests) {
    try {
      request.wait();
    } catch (const Error&) {
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

// ---- teams ----

Team Team::current() {
  const Tcb* self = runtime::current_thread();
  const Member* me = self != nullptr ? member_of(self) : nullptr;
  if (me == nullptr) {
    throw Error(Errc::not_in_team, "Team::current: the calling thread is not a member of a team");
  }
  return Team(me->team, me->size, me->maker);
}

void Team::check_room(const char* call, std::size_t bytes, std::size_t part) const {
  if (bytes == part * static_cast<std::size_t>(size_)) return;
  throw Error(Errc::bad_option, text("%s: %zu bytes are not %d parts of %zu bytes, one a member",
                                     call, bytes, size_, part));
}

namespace detail {

int team_index(std::uint64_t team) {
  const Tcb* self = runtime::current_thread();
  if (self != nullptr && member_of(self) != nullptr && member_of(self)->team == team)
    return member_of(self)->index;
  return require_member(team, "Team::index").index;
}

Received team_send_blocking(std::uint64_t team, int to, int tag, const void* data,
                            std::size_t bytes) {
  RequestState request;
  send_with_room(team, to, tag, data, bytes, &request, "send");
  wait_for(&request);
  return {};
}

Received team_recv(std::uint64_t team, int from, int tag, void* data, std::size_t bytes,
                   std::size_t element_bytes) {
  RequestState request = make_receive(from, tag, data, bytes, element_bytes);
  iso::in_process([&] {
    Member& me = require_member(team, "recv");
    check_peer(me, from, tag, true, "recv");
    the_job().post().receive(me, &request);
  });
  wait_for(&request);
  check_received(request, bytes);
  return received(request);
}

bool team_probe(std::uint64_t team, int from, int tag, bool wait, Received* found) {
  RequestState request = make_receive(from, tag, nullptr, 0, 1);
  request.kind = RequestState::Kind::kProbe;
  const bool there = iso::in_process([&] {
    Member& me = require_member(team, "probe");
    check_peer(me, from, tag, true, "probe");
    iso::HeapScope mine(&me.thread->heap);
    if (!wait && me.mailbox.find(0, from, tag) == nullptr) return false;
    the_job().post().receive(me, &request);
    return true;
  });
  if (!there) {
    scheduler().yield();  // a loop around it must let messages in, and their senders run
    return false;
  }
  wait_for(&request);
  *found = received(request);
  return true;
}

RequestState* team_isend(std::uint64_t team, int to, int tag, const void* data, std::size_t bytes,
                         bool copy) {
  auto request = std::make_unique<RequestState>();
  send_with_room(team, to, tag, data, bytes, copy ? nullptr : request.get(), "isend");
  if (copy) request->done = true;
  request->owner = id_of_caller();
  return request.release();
}

RequestState* team_irecv(std::uint64_t team, int from, int tag, void* data, std::size_t bytes,
                         std::size_t element_bytes) {
  auto request =
      std::make_unique<RequestState>(make_receive(from, tag, data, bytes, element_bytes));
  iso::in_process([&] {
    Member& me = require_member(team, "irecv");
    check_peer(me, from, tag, true, "irecv");
    the_job().post().receive(me, request.get());
  });
  request->owner = id_of_caller();
  return request.release();
}

RequestState* team_collective(std::uint64_t team, const CollectiveCall& call) {
  auto request = std::make_unique<RequestState>();
  request->kind = RequestState::Kind::kCollective;
  iso::in_process([&] {
    Member& me = require_member(team, to_string(call.kind));
    check_peer(me, call.root, 0, false, to_string(call.kind));
    the_job().gatherings().contribute(me, call, request.get());
  });
  request->owner = id_of_caller();
  return request.release();
}

void team_collective_now(std::uint64_t team, const CollectiveCall& asked) {
  CollectiveCall call = asked;
  call.blocking = true;
  const Member& me = require_member(team, to_string(call.kind));
  check_peer(me, call.root, 0, false, to_string(call.kind));
  RequestState request;
  runtime::start_collective(&request, call);
  wait_for(&request);
  runtime::follow_verdict(request);
}

// All members tell their loads, get back where to be, and go there.
int team_balance(std::uint64_t team) {
  const std::int64_t begin_ns = now_ns();
  runtime::PlaceHead answer{-1, 0};
  RequestState request;
  request.kind = RequestState::Kind::kCollective;
  iso::in_process([&] {
    Member& me = require_member(team, "balance");
    scheduler().run_seconds(me.thread);
    the_job().balancer().end_step(me);
    CollectiveCall call{.kind = CollectiveKind::kBalanceApart, .out = &answer, .blocking = true};
    std::vector<char> load;
    // Of a checkpoint that was made meanwhile, it goes on as it was begun.
    if (!the_job().balancer().diffuses() ||
        the_job().gatherings().has_begun(me, CollectiveKind::kBalance)) {
      load = the_job().balancer().describe_load(me);
      call.kind = CollectiveKind::kBalance;
      call.in = load.data();
      call.bytes = load.size();
    }
    the_job().gatherings().contribute(me, call, &request);
  });
  wait_for(&request);
  Tcb* self = scheduler().current();
  if (answer.rank >= 0 && answer.rank != the_job().rank() && threads::Scheduler::may_move(self)) {
    scheduler().depart_current(answer.rank);
    iso::HeapScope process;
    Errc code{};
    the_job().mover().take_refusal(self, &code);  // then it goes on where it is
  }
  member_of(self)->balancing_s = static_cast<double>(now_ns() - begin_ns) * 1e-9;
  return answer.moves;
}

// Those of `count` that have not got their message.
static void take_back_receives(Member& me, RequestState* receives, std::size_t count) {
  for (RequestState* r = receives; r != receives + count; ++r) {
    if (r->done || !me.mailbox.cancel(r)) continue;
    runtime::unpin_for_request(me.thread, r);
    r->done = true;
  }
}

// Each member sends each other one its part: the receives are posted first, nearest members first.
RequestState* team_alltoall(std::uint64_t team, const void* in, void* out, std::size_t bytes) {
  Member& me = require_member(team, "alltoall");
  const std::size_t n = static_cast<std::size_t>(me.size);
  auto request = std::make_unique<RequestState>();
  request->kind = RequestState::Kind::kMany;
  request->part_count = 2 * n;
  auto parts = std::make_unique<RequestState[]>(2 * n);
  const int tag = kFirstOwnTag - static_cast<int>(me.alltoalls++ % kOwnTags);
  const auto exchange = [&] {
    runtime::Post& post = the_job().post();
    for (std::size_t k = 0; k < n; ++k) {
      const int from = static_cast<int>((static_cast<std::size_t>(me.index) + n - k) % n);
      parts[k] = make_receive(
          from, tag, static_cast<char*>(out) + static_cast<std::size_t>(from) * bytes, bytes, 1);
      post.receive(me, &parts[k]);
    }
    for (std::size_t k = 0; k < n; ++k) {
      const int to = static_cast<int>((static_cast<std::size_t>(me.index) + k) % n);
      const char* part = static_cast<const char*>(in) + static_cast<std::size_t>(to) * bytes;
      try {
        ROAM_CHECK(post.send(me, {to, tag, part, bytes}, &parts[n + k]), "its own tags have room");
      } catch (...) {
        for (std::size_t rest = k; rest < n; ++rest) parts[n + rest].done = true;
        take_back_receives(me, parts.get(), n);
        throw;
      }
    }
  };
  request->owner = id_of_caller();
  request->parts = parts.get();
  try {
    iso::in_process(exchange);
  } catch (...) {
    wait_for(request.get());  // what was sent, or comes just now, has its memory until it is there
    throw;
  }
  static_cast<void>(parts.release());
  return request.release();
}

}  // namespace detail

// ---- load ----

namespace this_thread {

void set_load(double load) {
  Tcb* self = runtime::require_thread("set_load");
  if (std::isnan(load) || std::isinf(load)) {
    throw Error(Errc::bad_option, text("set_load: the load is %g; allowed is any number", load));
  }
  if (member_of(self) != nullptr) member_of(self)->user_load = load;
}

double running_time() { return scheduler().run_seconds(runtime::require_thread("running_time")); }

}  // namespace this_thread
}  // namespace roam
