// Point-to-point messages (chapter 3 of the standard), blocking and not, in all modes.

#include <memory>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/messages.h"
#include "mpi/calls/request_frame.h"
#include "runtime/api/member_messages.h"

namespace roam::mpi {
namespace {

template <Name kName, SendMode kMode, class Count>
int send(const void* data, Count count, MPI_Datatype type, int to, int tag, MPI_Comm communicator) {
  return call(kName.text, communicator, [&](VirtualRank& me) {
    constexpr bool kPlain = kMode == SendMode::kStandard || kMode == SendMode::kReady;
    if (kPlain && send_plainly(me, data, count, type, to, tag, communicator)) return;
    Request request;
    prepare_send(me, &request, kMode, data, count, type, to, tag, communicator);
    start(me, &request);
    wait_for(me, &request);
  });
}

template <Name kName, SendMode kMode, class Count>
int isend(const void* data, Count count, MPI_Datatype type, int to, int tag, MPI_Comm communicator,
          MPI_Request* handle) {
  return call(kName.text, communicator, needs(handle), [&](VirtualRank& me) {
    auto request = std::make_unique<Request>();
    prepare_send(me, request.get(), kMode, data, count, type, to, tag, communicator);
    start(me, request.get());
    *handle = me.requests.add(std::move(request));
  });
}

template <Name kName, SendMode kMode, class Count>
int send_init(const void* data, Count count, MPI_Datatype type, int to, int tag,
              MPI_Comm communicator, MPI_Request* handle) {
  return call(kName.text, communicator, needs(handle), [&](VirtualRank& me) {
    auto request = std::make_unique<Request>();
    prepare_send(me, request.get(), kMode, data, count, type, to, tag, communicator);
    request->persistent = true;
    *handle = me.requests.add(std::move(request));
  });
}

template <Name kName, class Count>
int receive(void* data, Count count, MPI_Datatype type, int from, int tag, MPI_Comm communicator,
            MPI_Status* status) {
  return call(kName.text, communicator, needs(status), [&](VirtualRank& me) {
    if (receive_plainly(me, data, count, type, from, tag, communicator, status)) return;
    Request request;
    prepare_receive(me, &request, data, count, type, from, tag, communicator);
    start(me, &request);
    wait_for(me, &request);
    tell(request, status);
    check(request);
  });
}

template <Name kName, class Count>
int ireceive(void* data, Count count, MPI_Datatype type, int from, int tag, MPI_Comm communicator,
             MPI_Request* handle) {
  return call(kName.text, communicator, needs(handle), [&](VirtualRank& me) {
    auto request = std::make_unique<Request>();
    prepare_receive(me, request.get(), data, count, type, from, tag, communicator);
    start(me, request.get());
    *handle = me.requests.add(std::move(request));
  });
}

template <Name kName, class Count>
int receive_init(void* data, Count count, MPI_Datatype type, int from, int tag,
                 MPI_Comm communicator, MPI_Request* handle) {
  return call(kName.text, communicator, needs(handle), [&](VirtualRank& me) {
    auto request = std::make_unique<Request>();
    prepare_receive(me, request.get(), data, count, type, from, tag, communicator);
    request->persistent = true;
    *handle = me.requests.add(std::move(request));
  });
}

// Looks at both, whichever is done first.
bool both_done(Request* a, Request* b) {
  const bool first = advance(a);
  return advance(b) && first;
}

template <Name kName, class Count>
int send_receive(const void* out, Count out_count, MPI_Datatype out_type, int to, int out_tag,
                 void* in, Count in_count, MPI_Datatype in_type, int from, int in_tag,
                 MPI_Comm communicator, MPI_Status* status) {
  return call(kName.text, communicator, needs(status), [&](VirtualRank& me) {
    Request receives, sends;
    prepare_receive(me, &receives, in, in_count, in_type, from, in_tag, communicator);
    prepare_send(me, &sends, SendMode::kStandard, out, out_count, out_type, to, out_tag,
                 communicator);
    start(me, &receives);
    start(me, &sends);
    me.wait_until([&] { return both_done(&receives, &sends); });
    tell(receives, status);
    check(receives);
  });
}

// What is received comes in its place.
void send_a_copy(VirtualRank& me, Request* sends) {
  sends->packed.resize(sends->type.bytes(sends->count));
  sends->type.pack(sends->data, sends->count, sends->packed.data());
  sends->type = Type(me, MPI_BYTE);
  sends->count = static_cast<MPI_Count>(sends->packed.size());
  sends->data = sends->packed.data();
}

template <Name kName, class Count>
int send_receive_replace(void* data, Count count, MPI_Datatype type, int to, int out_tag, int from,
                         int in_tag, MPI_Comm communicator, MPI_Status* status) {
  return call(kName.text, communicator, needs(status), [&](VirtualRank& me) {
    Request receives, sends;
    prepare_receive(me, &receives, data, count, type, from, in_tag, communicator);
    prepare_send(me, &sends, SendMode::kStandard, data, count, type, to, out_tag, communicator);
    send_a_copy(me, &sends);
    start(me, &receives);
    start(me, &sends);
    me.wait_until([&] { return both_done(&receives, &sends); });
    tell(receives, status);
    check(receives);
  });
}

// Both parts are requests of their own: the program has that of the receive, which is done when
// both are.
void start_both(VirtualRank& me, std::unique_ptr<Request> receives, std::unique_ptr<Request> sends,
                MPI_Request* handle) {
  Request* send = sends.get();
  receives->with = std::move(sends);
  start(me, receives.get());
  start(me, send);
  *handle = me.requests.add(std::move(receives));
}

template <Name kName, class Count>
int isend_receive(const void* out, Count out_count, MPI_Datatype out_type, int to, int out_tag,
                  void* in, Count in_count, MPI_Datatype in_type, int from, int in_tag,
                  MPI_Comm communicator, MPI_Request* handle) {
  return call(kName.text, communicator, needs(handle), [&](VirtualRank& me) {
    auto receives = std::make_unique<Request>();
    auto sends = std::make_unique<Request>();
    prepare_receive(me, receives.get(), in, in_count, in_type, from, in_tag, communicator);
    prepare_send(me, sends.get(), SendMode::kStandard, out, out_count, out_type, to, out_tag,
                 communicator);
    start_both(me, std::move(receives), std::move(sends), handle);
  });
}
template <Name kName, class Count>
int isend_receive_replace(void* data, Count count, MPI_Datatype type, int to, int out_tag, int from,
                          int in_tag, MPI_Comm communicator, MPI_Request* handle) {
  return call(kName.text, communicator, needs(handle), [&](VirtualRank& me) {
    auto receives = std::make_unique<Request>();
    auto sends = std::make_unique<Request>();
    prepare_receive(me, receives.get(), data, count, type, from, in_tag, communicator);
    prepare_send(me, sends.get(), SendMode::kStandard, data, count, type, to, out_tag,
                 communicator);
    send_a_copy(me, sends.get());
    start_both(me, std::move(receives), std::move(sends), handle);
  });
}

// ---- probes ----

MPI_Status status_of(const Group& group, const detail::RequestState& found) {
  MPI_Status status = empty_status();
  status.MPI_SOURCE = group.rank_of(found.from);
  status.MPI_TAG = found.tag;
  set_bytes(&status, static_cast<MPI_Count>(found.bytes));
  return status;
}

// A probe that waits, taken back if its frame is left.
struct Looking {
  ~Looking() {
    if (begun && !found.done) runtime::cancel_receive(&found);
  }
  void start(std::uint64_t context, int from, int tag) {
    runtime::start_probe(&found, context, from, tag);
    begun = true;
  }
  detail::RequestState found;
  bool begun = false;
};

int probe(int from, int tag, MPI_Comm communicator, MPI_Status* status) {
  return call("MPI_Probe", communicator, needs(status), [&](VirtualRank& me) {
    const Communicator& c = me.communicator(communicator);
    check_source(c.peers(), from, tag);
    if (from == MPI_PROC_NULL) return tell(null_status(), status);
    Group group = c.peers();
    Looking looking;
    looking.start(c.context, world_from(group, from), asked_tag(tag));
    me.wait_until([&] { return looking.found.done; });
    tell(status_of(group, looking.found), status);
  });
}

int iprobe(int from, int tag, MPI_Comm communicator, int* there, MPI_Status* status) {
  return call("MPI_Iprobe", communicator, needs(there, status), [&](VirtualRank& me) {
    const Communicator& c = me.communicator(communicator);
    check_source(c.peers(), from, tag);
    *there = 1;
    if (from == MPI_PROC_NULL) return tell(null_status(), status);
    Group group = c.peers();
    const std::uint64_t context = c.context;
    detail::RequestState found;
    const auto look = [&] {
      return runtime::look_for(context, world_from(group, from), asked_tag(tag), &found);
    };
    bool seen = look();
    if (!seen) {
      me.look_around();
      seen = look();
    }
    *there = seen ? 1 : 0;
    if (seen) tell(status_of(group, found), status);
  });
}

// ---- matched probes ----

// Messages that were matched have contexts of their own from here on.
constexpr std::uint64_t kFirstMatched = std::uint64_t{1} << 63;

// Matches one that has come. The message's handle is a request that is not started.
bool match(VirtualRank& me, const Communicator& c, int from, int tag, MPI_Message* message,
           MPI_Status* status) {
  const Group& group = c.peers();
  const std::uint64_t matched = kFirstMatched | me.next_match;
  detail::RequestState found;
  if (!runtime::match_message(c.context, world_from(group, from), asked_tag(tag), matched, &found))
    return false;
  ++me.next_match;
  auto request = std::make_unique<Request>();
  request->kind = Request::Kind::kReceive;
  request->group = group;
  request->context = matched;
  request->communicator = c.handle;
  request->peer = group.rank_of(found.from);
  request->tag = found.tag;
  *message = me.messages.add(std::move(request));
  tell(status_of(group, found), status);
  return true;
}

int matched_probe(int from, int tag, MPI_Comm communicator, MPI_Message* message,
                  MPI_Status* status) {
  return call("MPI_Mprobe", communicator, needs(message, status), [&](VirtualRank& me) {
    const Communicator& c = me.communicator(communicator);
    check_source(c.peers(), from, tag);
    if (from == MPI_PROC_NULL) {
      *message = MPI_MESSAGE_NO_PROC;
      return tell(null_status(), status);
    }
    while (!match(me, c, from, tag, message, status)) {
      Looking looking;
      looking.start(c.context, world_from(c.peers(), from), asked_tag(tag));
      me.wait_until([&] { return looking.found.done; });
    }
  });
}

int matched_iprobe(int from, int tag, MPI_Comm communicator, int* there, MPI_Message* message,
                   MPI_Status* status) {
  return call("MPI_Improbe", communicator, needs(there, message, status), [&](VirtualRank& me) {
    const Communicator& c = me.communicator(communicator);
    check_source(c.peers(), from, tag);
    *there = 1;
    if (from == MPI_PROC_NULL) {
      *message = MPI_MESSAGE_NO_PROC;
      return tell(null_status(), status);
    }
    bool seen = match(me, c, from, tag, message, status);
    if (!seen) {
      me.look_around();
      seen = match(me, c, from, tag, message, status);
    }
    *there = seen ? 1 : 0;
  });
}

// The receive of a matched message, which is there.
std::unique_ptr<Request> take_message(VirtualRank& me, void* data, MPI_Count count,
                                      MPI_Datatype type, MPI_Message* message) {
  if (me.messages.find(*message) == nullptr)
    throw CallError(MPI_ERR_REQUEST, "there is no such message");
  const Type checked(me, type);
  static_cast<void>(checked.bytes(count));  // it may be refused
  checked.check_buffer(data, count);
  std::unique_ptr<Request> request = me.messages.remove(*message);
  *message = MPI_MESSAGE_NULL;
  request->type = checked;
  request->count = count;
  request->data = data;
  start(me, request.get());
  return request;
}

template <class Body>
int call_of_message(const char* name, const MPI_Message* message, Needs given, Body body) {
  const Request* named =
      message == nullptr ? nullptr : VirtualRank::running().messages.find(*message);
  return call_of_one(name, named, {given.all_there && message != nullptr}, body);
}

template <Name kName, class Count>
int matched_receive(void* data, Count count, MPI_Datatype type, MPI_Message* message,
                    MPI_Status* status) {
  return call_of_message(kName.text, message, needs(status), [&](VirtualRank& me) {
    if (*message == MPI_MESSAGE_NO_PROC) {
      *message = MPI_MESSAGE_NULL;
      return tell(null_status(), status);
    }
    const std::unique_ptr<Request> request = take_message(me, data, count, type, message);
    wait_for(me, request.get());
    tell(*request, status);
    check(*request);
  });
}

template <Name kName, class Count>
int matched_ireceive(void* data, Count count, MPI_Datatype type, MPI_Message* message,
                     MPI_Request* handle) {
  return call_of_message(kName.text, message, needs(handle), [&](VirtualRank& me) {
    std::unique_ptr<Request> request;
    if (*message == MPI_MESSAGE_NO_PROC) {
      *message = MPI_MESSAGE_NULL;
      request = std::make_unique<Request>();
      request->kind = Request::Kind::kReceive;
      request->peer = MPI_PROC_NULL;
      start(me, request.get());
    } else {
      request = take_message(me, data, count, type, message);
    }
    *handle = me.requests.add(std::move(request));
  });
}

// ---- the buffer of buffered sends ----

template <Name kName, class Count>
int attach_buffer(void* buffer, Count bytes) {
  return call(kName.text, MPI_COMM_WORLD, needs(buffer), [&](VirtualRank& me) {
    if (me.buffer != nullptr)
      throw CallError(MPI_ERR_BUFFER, "a buffer is attached already: detach it first");
    if (bytes < 0) throw CallError(MPI_ERR_ARG, "the buffer has a negative size");
    if (bytes < MPI_BSEND_OVERHEAD) {
      throw CallError(MPI_ERR_BUFFER,
                      text("the buffer has %lld bytes; each message takes MPI_BSEND_OVERHEAD (%d) "
                           "beside its own",
                           static_cast<long long>(bytes), MPI_BSEND_OVERHEAD));
    }
    me.buffer = buffer;
    me.buffer_room = static_cast<std::size_t>(bytes);
  });
}

template <Name kName, class Count>
int detach_buffer(void* buffer, Count* bytes) {
  return call(kName.text, MPI_COMM_WORLD, needs(buffer, bytes), [&](VirtualRank& me) {
    me.wait_until([&] { return me.buffered_bytes() == 0; });
    *static_cast<void**>(buffer) = me.buffer;
    *bytes = static_cast<Count>(me.buffer_room);
    me.buffer = nullptr;
    me.buffer_room = 0;
  });
}

}  // namespace

void add_message_calls() {
  ROAM_BOTH("MPI_Send", send, SendMode::kStandard);
  ROAM_BOTH("MPI_Ssend", send, SendMode::kSynchronous);
  ROAM_BOTH("MPI_Bsend", send, SendMode::kBuffered);
  ROAM_BOTH("MPI_Rsend", send, SendMode::kReady);
  ROAM_BOTH("MPI_Isend", isend, SendMode::kStandard);
  ROAM_BOTH("MPI_Issend", isend, SendMode::kSynchronous);
  ROAM_BOTH("MPI_Ibsend", isend, SendMode::kBuffered);
  ROAM_BOTH("MPI_Irsend", isend, SendMode::kReady);
  ROAM_BOTH("MPI_Send_init", send_init, SendMode::kStandard);
  ROAM_BOTH("MPI_Ssend_init", send_init, SendMode::kSynchronous);
  ROAM_BOTH("MPI_Bsend_init", send_init, SendMode::kBuffered);
  ROAM_BOTH("MPI_Rsend_init", send_init, SendMode::kReady);
  ROAM_BOTH("MPI_Recv", receive);
  ROAM_BOTH("MPI_Irecv", ireceive);
  ROAM_BOTH("MPI_Recv_init", receive_init);
  ROAM_BOTH("MPI_Sendrecv", send_receive);
  ROAM_BOTH("MPI_Sendrecv_replace", send_receive_replace);
  ROAM_BOTH("MPI_Isendrecv", isend_receive);
  ROAM_BOTH("MPI_Isendrecv_replace", isend_receive_replace);
  ROAM_BOTH("MPI_Mrecv", matched_receive);
  ROAM_BOTH("MPI_Imrecv", matched_ireceive);
  add_call("MPI_Probe", &probe);
  add_call("MPI_Iprobe", &iprobe);
  add_call("MPI_Mprobe", &matched_probe);
  add_call("MPI_Improbe", &matched_iprobe);
  ROAM_BOTH("MPI_Buffer_attach", attach_buffer);
  ROAM_BOTH("MPI_Buffer_detach", detach_buffer);
}

}  // namespace roam::mpi
