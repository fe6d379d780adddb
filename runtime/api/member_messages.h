#ifndef ROAM_RUNTIME_API_MEMBER_MESSAGES_H_
#define ROAM_RUNTIME_API_MEMBER_MESSAGES_H_

#include <cstddef>
#include <cstdint>

#include "roam/request.h"
#include "runtime/teams/parcel.h"

// Messages between members of a team for a layer that is written inside Roam (mpi/): with contexts,
// which keep the messages of one communicator from the receives of another, a note beside the
// bytes, and sends that never wait for room. Requests are the caller's, in its thread's memory, and
// stay where they are until they are done.
//
// Context: members, capture on; what suspends says so.
namespace roam::runtime {

using detail::RequestState;

struct MemberMessage {
  std::uint64_t context = 0;
  int to = 0;   // index in the caller's team
  int tag = 0;  // from 0
  std::uint16_t note = 0;
  const void* data = nullptr;
  std::size_t bytes = 0;
  // Done at once, wherever that takes memory: for what there is little of, as answers.
  bool copied = false;
};

// The request is done when the data may be changed. `sequence` of the request is then the message's
// number among those between the two.
// Errors: Error(out_of_memory); Error(thread_ended): `to` has left the team.
void start_send(RequestState* request, const MemberMessage& message);

// kAny as the member or the tag takes any. A message that is longer than `bytes` ends the receive
// with Errc::message_too_long, and is given up.
void start_receive(RequestState* request, std::uint64_t context, int from, int tag, void* data,
                   std::size_t bytes);

// Takes back a receive that nothing has come for. False: something has.
bool cancel_receive(RequestState* request);

// Takes back a message that the caller has sent: if no receive of `to` has taken or matched it when
// that is asked there, whatever the thread of `to` does, it is as if it had been received and given
// up, and a message without bytes comes from there, of the context, tag and note of `answer`. Else
// nothing comes. Errors: as start_send.
void take_back(const MemberMessage& sent, std::uint32_t sequence, const MemberMessage& answer);
// A send that is not done is, with a copy of its data. False: a receiver has them just now, or
// there is no memory.
bool copy_send(RequestState* request);

// The first message that has come and matches, which stays: into *found, as of a receive.
bool look_for(std::uint64_t context, int from, int tag, RequestState* found);
// The same, and from now on the message has the context `matched`, which only receives of that
// context match.
bool match_message(std::uint64_t context, int from, int tag, std::uint64_t matched,
                   RequestState* found);

// How many receives of the calling member have ended with a message that had a note.
std::uint32_t noted_receives();

// Until a request of the calling member ends, or a message comes that a posted probe looks for.
// `what` is shown in lists of what threads wait for. May return without: the caller looks again.
// Suspends; the caller may be on another rank afterwards.
void wait_for_news(const char* what);
// For calls that a program makes in a loop until something is done: others run, and what a caller
// that waits would be brought comes in the end. Suspends; the caller may be on another rank
// afterwards.
void look_for_news();
// Posts a probe, whose end wait_for_news() tells; cancel_receive() takes it back.
void start_probe(RequestState* request, std::uint64_t context, int from, int tag);

// ---- messages that are served ----

using detail::Envelope;
using detail::Member;
using detail::MessageServer;

// The calling thread's.
Member& calling_member();
// From now on `server` acts upon messages that send_to_server() brings to the calling member, as
// MessageServer says; null: nobody does.
void set_server(MessageServer* server);
// The longest of such messages.
std::size_t most_served_bytes();
// Sends a copy from `me`, the calling member or the one whose message is being served, to the
// server of another member; in one order with all messages between the two. Does not suspend; the
// other one may be served before this returns. Errors: as start_send.
void send_to_server(Member& me, int to, std::uint64_t context, const void* data, std::size_t bytes);
// Whether memory at the address is where the thread is, on whatever rank that is.
bool travels(const void* address);
// For a system call that failed with EFAULT: makes what lives there on this node usable, as the
// caller's own loads and stores do; nothing else. True: something was not, so the call may be made
// again. Keeps errno.
bool admit_for_kernel(const void* data, std::size_t bytes);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_API_MEMBER_MESSAGES_H_
