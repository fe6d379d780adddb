#include "runtime/api/member_messages.h"

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "isomalloc/arena.h"
#include "isomalloc/in_process.h"
#include "runtime/job/job.h"
#include "runtime/teams/member.h"
#include "runtime/teams/requests.h"
#include "threads/scheduler.h"

namespace roam::runtime {
namespace {

using detail::Member;
using detail::Parcel;
using detail::Tcb;
using threads::scheduler;

Member& caller() {
  Member* me = member_of(scheduler().current());
  ROAM_CHECK(me != nullptr, "a thread that is in no team exchanges messages of one");
  return *me;
}

void ask_for(RequestState* request, RequestState::Kind kind, std::uint64_t context, int from,
             int tag) {
  *request = {};
  request->kind = kind;
  request->context = context;
  request->from = from;
  request->tag = tag;
}

Parcel* find(std::uint64_t context, int from, int tag, RequestState* found) {
  Parcel* parcel = caller().mailbox.find(context, from, tag);
  if (parcel != nullptr) found->got(parcel->envelope);
  return parcel;
}

}  // namespace

void start_send(RequestState* request, const MemberMessage& message) {
  *request = {};
  iso::in_process([&] {
    Member& me = caller();
    const bool sent = the_job().post().send(me,
                                            {.to = message.to,
                                             .tag = message.tag,
                                             .data = message.data,
                                             .bytes = message.bytes,
                                             .context = message.context,
                                             .note = message.note,
                                             .waits_for_room = false},
                                            message.copied ? nullptr : request);
    ROAM_CHECK(sent, "a send that does not wait for room waits for room");
    request->done = request->done || message.copied;
    request->sequence = me.mailbox.peer(message.to).next_out - 1;
  });
}

void start_receive(RequestState* request, std::uint64_t context, int from, int tag, void* data,
                   std::size_t bytes) {
  ask_for(request, RequestState::Kind::kReceive, context, from, tag);
  request->data = data;
  request->bytes = request->room = bytes;
  request->takes_longer = true;
  iso::in_process([&] { the_job().post().receive(caller(), request); });
}

void start_probe(RequestState* request, std::uint64_t context, int from, int tag) {
  ask_for(request, RequestState::Kind::kProbe, context, from, tag);
  iso::in_process([&] { the_job().post().receive(caller(), request); });
}

bool cancel_receive(RequestState* request) {
  return iso::in_process([&] {
    Member& me = caller();
    if (!me.mailbox.cancel(request)) return false;
    unpin_for_request(me.thread, request);
    return true;
  });
}

void take_back(const MemberMessage& sent, std::uint32_t sequence, const MemberMessage& answer) {
  iso::in_process([&] {
    the_job().post().take_back(caller(), sent.to,
                               {.context = sent.context,
                                .answer_context = answer.context,
                                .sequence = sequence,
                                .answer_tag = answer.tag,
                                .answer_note = answer.note,
                                .padding = {}});
  });
}

bool copy_send(RequestState* request) {
  return iso::in_process([&] { return the_job().post().copy(caller(), request); });
}

bool look_for(std::uint64_t context, int from, int tag, RequestState* found) {
  return iso::in_process([&] { return find(context, from, tag, found) != nullptr; });
}

bool match_message(std::uint64_t context, int from, int tag, std::uint64_t matched,
                   RequestState* found) {
  return iso::in_process([&] {
    Parcel* parcel = find(context, from, tag, found);
    if (parcel != nullptr) parcel->envelope.context = matched;
    return parcel != nullptr;
  });
}

Member& calling_member() { return caller(); }
void set_server(MessageServer* server) { caller().server = server; }
std::size_t most_served_bytes() { return the_job().post().most_served_bytes(); }

void send_to_server(Member& me, int to, std::uint64_t context, const void* data,
                    std::size_t bytes) {
  ROAM_CHECK(to != me.index && bytes <= most_served_bytes(),
             "a message of %zu bytes to member %d is not served", bytes, to);
  iso::in_process([&] {
    const bool sent = the_job().post().send(me,
                                            {.to = to,
                                             .tag = detail::kServedTag,
                                             .data = data,
                                             .bytes = bytes,
                                             .context = context,
                                             .waits_for_room = false},
                                            nullptr);
    ROAM_CHECK(sent, "a message that is served waits for room");
  });
}

bool travels(const void* address) { return iso::arena().contains(address); }

namespace {
constexpr std::size_t kMostAdmitted = std::size_t{1} << 20;
}  // namespace

bool admit_for_kernel(const void* data, std::size_t bytes) {
  if (!travels(data)) return false;
  const int error = errno;
  const bool any = iso::in_process([&] {
    // The kernel has come to nothing, so it is the front that it cannot use; it asks for what is
    // behind when it comes there. All of what lives at an address is opened with it.
    const Address begin = reinterpret_cast<Address>(data);
    const Address end = begin + std::min(bytes, kMostAdmitted);
    for (Address at = begin; at < end; at = round_down(at, iso::kUnitBytes) + iso::kUnitBytes) {
      if (iso::arena().admit_for_fault(at)) return true;
    }
    return false;
  });
  errno = error;
  return any;
}

std::uint32_t noted_receives() { return caller().noted; }

void wait_for_news(const char* what) {
  Tcb* self = scheduler().current();
  member_of(self)->waiting = true;
  if (member_of(self)->sends != nullptr) the_job().post().sender_waits();
  self->loose = true;
  scheduler().block(what, nullptr);
  self->loose = false;
  member_of(self)->waiting = false;
}

void look_for_news() {
  Member* me = member_of(scheduler().current());
  if (me != nullptr && me->sends != nullptr) {
    me->asks = true;
    the_job().post().sender_waits();
  }
  scheduler().yield();
}

}  // namespace roam::runtime
