#include "runtime/teams/requests.h"

#include "isomalloc/arena.h"
#include "runtime/teams/member.h"
#include "runtime/trace/trace.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::Member;
using detail::RequestState;
using detail::State;
using threads::scheduler;

void pin_for_request(Tcb* t, RequestState* request) {
  if (request->data == nullptr || iso::arena().contains(request->data)) return;
  request->pins = true;
  ++t->pins;
}

void unpin_for_request(Tcb* t, RequestState* request) {
  if (!request->pins) return;
  request->pins = false;
  --t->pins;
  scheduler().loosened(t);
}

void wake_if_waiting(Tcb* t) {
  Member& m = *member_of(t);
  if (!m.waiting || t->state != State::kBlocked) return;
  m.waiting = false;
  scheduler().make_ready(t);
}

void finish_request(Tcb* t, RequestState* request) {
  Member& m = *member_of(t);
  if (request->kind == RequestState::Kind::kSend) {
    for (RequestState** link = &m.sends; *link != nullptr; link = &(*link)->next) {
      if (*link != request) continue;
      *link = request->next;
      break;
    }
  }
  request->done = true;
  wake_if_waiting(t);
  unpin_for_request(t, request);
}

void finish_receive(Tcb* t, RequestState* request, const detail::Envelope& e) {
  request->got(e);
  if (e.note != 0) [[unlikely]]
    ++member_of(t)->noted;
  if (Trace* trace = the_trace; trace != nullptr) {
    trace->received(e.sender, t->id.load(std::memory_order_relaxed), e.origin, e.bytes, e.tag,
                    pair_of(e), e.sequence + 1);
  }
  finish_request(t, request);
}

}  // namespace roam::runtime
