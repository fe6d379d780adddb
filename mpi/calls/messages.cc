#include "mpi/calls/messages.h"

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "base/text.h"
#include "mpi/image/image.h"
#include "runtime/api/member_messages.h"

namespace roam::mpi {
namespace {

constexpr std::uint64_t kAcknowledgements = 1;  // a context
constexpr std::uint16_t kWantsAnswer = 1;       // a note
constexpr std::uint16_t kTakenBack = 2;         // of an acknowledgement: there was no receive

// What an acknowledgement is told by: the message's number among those between the two.
int answer_tag(std::uint32_t sequence) {
  return static_cast<int>(sequence & static_cast<std::uint32_t>(kMostTag));
}

void check_type_and_count(VirtualRank& me, Request* request, MPI_Count count, MPI_Datatype type,
                          const void* data, int peer) {
  // Of no elements nobody asks what they are, as MPICH has it.
  request->type = Type(me, count == 0 && type == MPI_DATATYPE_NULL ? MPI_BYTE : type);
  static_cast<void>(request->type.bytes(count));  // it may be refused
  // To or from nobody MPICH takes no buffer for one where an element begins elsewhere.
  if (peer == MPI_PROC_NULL && data == nullptr && request->type->bounds.true_lb != 0)
    return request->type.check_committed();
  request->type.check_buffer(data, count);
}

void prepare(Request* request, Request::Kind kind, void* data, MPI_Count count, int peer, int tag,
             const Communicator& communicator) {
  request->kind = kind;
  request->data = data;
  request->count = count;
  request->peer = peer;
  request->tag = tag;
  request->group = communicator.peers();
  request->context = communicator.context;
  request->communicator = communicator.handle;
}

void begin(Request* request) {
  request->started = true;
  request->done = request->cancelled = request->acknowledged = false;
  request->on_wire = request->awaits_answer = request->asked_back = false;
  request->error = MPI_SUCCESS;
}

// Until the runtime has done with it.
void wait_for_wire(const detail::RequestState& wire) {
  while (!wire.done) runtime::wait_for_news("the end of what its virtual rank has given up");
}

void end(Request* request, const MPI_Status& status) {
  request->status = status;
  request->done = true;
}

void start_send(VirtualRank& me, Request* request) {
  const std::size_t bytes = request->type.bytes(request->count);
  const bool synchronous = request->mode == SendMode::kSynchronous;
  const int to = request->group.world_of(request->peer);
  if (request->mode == SendMode::kBuffered) {
    if (!me.make_buffer_room(bytes + MPI_BSEND_OVERHEAD)) {
      throw CallError(
          MPI_ERR_BUFFER,
          text("the attached buffer has %zu bytes, of which %zu are in use: no room for a "
               "message of %zu and MPI_BSEND_OVERHEAD (%d)",
               me.buffer_room, me.buffered_bytes(), bytes, MPI_BSEND_OVERHEAD));
    }
    auto kept = std::make_unique<Request>();
    kept->kind = Request::Kind::kSend;
    begin(kept.get());
    kept->packed.resize(bytes);
    request->type.pack(request->data, request->count, kept->packed.data());
    runtime::start_send(&kept->wire, {.context = request->context,
                                      .to = to,
                                      .tag = request->tag,
                                      .data = kept->packed.data(),
                                      .bytes = bytes});
    kept->on_wire = true;
    kept->buffer_bytes = bytes + MPI_BSEND_OVERHEAD;
    me.keep_to_its_end(std::move(kept));
    end(request, empty_status());
    return;
  }
  const void* data = request->type.readable_in_a_row(request->data, request->count);
  if (data == nullptr && bytes != 0) {
    request->packed.resize(bytes);
    request->type.pack(request->data, request->count, request->packed.data());
    data = request->packed.data();
  }
  runtime::start_send(&request->wire, {.context = request->context,
                                       .to = to,
                                       .tag = request->tag,
                                       .note = synchronous ? kWantsAnswer : std::uint16_t{0},
                                       .data = data,
                                       .bytes = bytes});
  request->on_wire = true;
  if (synchronous) {
    runtime::start_receive(&request->acknowledgement, kAcknowledgements, to,
                           answer_tag(request->wire.sequence), nullptr, 0);
    request->awaits_answer = true;
  }
}

// As soon as something has come for a receive: its sender may wait for that.
void answer(const detail::RequestState& received) {
  if (received.note != kWantsAnswer) return;
  detail::RequestState answer;
  runtime::start_send(&answer, {.context = kAcknowledgements,
                                .to = received.from,
                                .tag = answer_tag(received.sequence),
                                .copied = true});
}
void acknowledge(Request* request) {
  if (!request->wire.done || std::exchange(request->acknowledged, true)) return;
  answer(request->wire);
}

// Of a receive from `peer` that has ended, with room for `room` bytes.
MPI_Status status_of(const detail::RequestState& wire, const Group& group, int peer,
                     std::size_t room) {
  MPI_Status status = empty_status();
  status.MPI_SOURCE = peer != MPI_ANY_SOURCE ? peer : group.rank_of(wire.from);
  status.MPI_TAG = wire.tag;
  set_bytes(&status, static_cast<MPI_Count>(std::min(wire.bytes, room)));
  return status;
}
// Why it got nothing.
CallError failure_of(const detail::RequestState& wire, const MPI_Status& status, std::size_t room) {
  if (wire.error == Errc::message_too_long) {
    return {MPI_ERR_TRUNCATE,
            text("a message of %zu bytes came from rank %d with tag %d, and there is room for %zu",
                 wire.bytes, status.MPI_SOURCE, status.MPI_TAG, room)};
  }
  return {MPI_ERR_OTHER, "the virtual rank that a message was to come from has ended"};
}

void finish_receive(Request* request) {
  const detail::RequestState& wire = request->wire;
  const std::size_t room = request->type.bytes(request->count);
  const MPI_Status status = status_of(wire, request->group, request->peer, room);
  if (wire.error != Errc{}) {
    const CallError failure = failure_of(wire, status, room);
    request->error = failure.code;
    request->why = failure.what();
  } else if (!request->packed.empty()) {
    request->type.unpack(request->packed.data(), std::min(wire.bytes, room), request->data,
                         request->count);
  }
  end(request, status);
}

void start_receive(Request* request) {
  const std::size_t room = request->type.bytes(request->count);
  void* to = request->type.writable_in_a_row(request->data, request->count);
  if (to == nullptr && room != 0) {
    request->packed.resize(room);
    to = request->packed.data();
  }
  runtime::start_receive(&request->wire, request->context,
                         world_from(request->group, request->peer), asked_tag(request->tag), to,
                         room);
  request->on_wire = true;
}

MPI_Status cancelled_status() {
  MPI_Status status = empty_status();
  set_cancelled(&status, true);
  return status;
}

// Waiting for it is no matter of its receiver any more: a synchronous one is taken back, if no
// receive has taken it, and is acknowledged all the same; another one needs no receive.
void cancel_send(Request* request) {
  if (!request->awaits_answer) {
    runtime::copy_send(&request->wire);
  } else if (!request->acknowledgement.done && !request->asked_back) {
    const std::uint32_t sequence = request->wire.sequence;
    runtime::take_back(
        {.context = request->context, .to = request->group.world_of(request->peer)}, sequence,
        {.context = kAcknowledgements, .tag = answer_tag(sequence), .note = kTakenBack});
    request->asked_back = true;  // not where there was no memory to ask
  }
}

// Whether it is done; what that takes is done.
bool look(Request* request) {
  switch (request->kind) {
    case Request::Kind::kNothing:
      return true;
    case Request::Kind::kSend:
      if (request->partitions != nullptr && request->partitions->waiting != 0) return false;
      if (!request->wire.done) return false;
      if (request->awaits_answer && !request->acknowledgement.done) return false;
      request->cancelled = request->awaits_answer && request->acknowledgement.note == kTakenBack;
      end(request, request->cancelled ? cancelled_status() : empty_status());
      return true;
    case Request::Kind::kReceive:
      if (request->partitions != nullptr && !request->on_wire) {
        if (!request->partitions->is_known()) return false;
        if (request->partitions->introduction.error != Errc{})
          throw CallError(MPI_ERR_OTHER, "the virtual rank of the partitioned send has ended");
        request->context = request->partitions->context;
        start_receive(request);
      }
      acknowledge(request);
      if (request->with != nullptr && !advance(request->with.get())) return false;
      if (request->peer == MPI_PROC_NULL) {  // only its send was under way
        end(request, null_status());
        return true;
      }
      if (!request->wire.done) return false;
      finish_receive(request);
      return true;
    case Request::Kind::kCollective:
      if (!request->schedule->advance()) return false;
      if (!request->persistent) request->schedule.reset();
      end(request, empty_status());
      return true;
    case Request::Kind::kGeneralized:
      return false;  // the program says when
    case Request::Kind::kFetch:
      if (!request->fetch->has_come()) return false;
      request->fetch->finish();
      request->error = request->fetch->error;
      request->why = request->fetch->why;
      end(request, empty_status());
      return true;
  }
  return true;
}

// The send goes by itself when its partitions are ready, the receive is posted when it knows its
// sender.
void count_partitions(Request* request) {
  Partitions* p = request->partitions.get();
  p->ready.assign(p->ready.size(), false);
  p->waiting = p->count;
}
void start_partitioned(VirtualRank& me, Request* request) {
  if (request->kind == Request::Kind::kSend) {
    count_partitions(request);
  } else if (!advance(request)) {
    me.watch(request);
  }
}

// The messages of one that failed may be under way: it is not started again.
void start_collective(VirtualRank& me, Request* request) {
  if (request->schedule == nullptr)
    throw CallError(MPI_ERR_REQUEST, "this persistent collective has failed before");
  request->schedule->begin_again();
  if (!advance(request)) me.watch(request);
}

// It has ended, without success.
void fail(Request* request, int error, const char* why) {
  request->error = error;
  request->why = why;
  request->schedule.reset();
  end(request, empty_status());
}

}  // namespace

// ---- what is asked for ----

void check_source(const Group& group, int from, int tag) {
  if (from != MPI_ANY_SOURCE && from != MPI_PROC_NULL && (from < 0 || from >= group.size())) {
    throw CallError(MPI_ERR_RANK, text("the source is rank %d; the communicator has 0 to %d, and "
                                       "MPI_ANY_SOURCE and MPI_PROC_NULL are allowed",
                                       from, group.size() - 1));
  }
  if (tag != MPI_ANY_TAG && (tag < 0 || tag > kMostTag)) {
    throw CallError(MPI_ERR_TAG,
                    text("the tag is %d; from 0 to %d and MPI_ANY_TAG are allowed", tag, kMostTag));
  }
}

int world_from(const Group& group, int from) {
  return from == MPI_ANY_SOURCE ? kAny : group.world_of(from);
}
int asked_tag(int tag) { return tag == MPI_ANY_TAG ? kAny : tag; }

void prepare_send(VirtualRank& me, Request* request, SendMode mode, const void* data,
                  MPI_Count count, MPI_Datatype type, int to, int tag, MPI_Comm communicator) {
  const Communicator& c = me.communicator(communicator);
  check_type_and_count(me, request, count, type, data, to);
  if (to != MPI_PROC_NULL && (to < 0 || to >= c.peers().size())) {
    throw CallError(MPI_ERR_RANK,
                    text("the destination is rank %d; the communicator has 0 to %d, and "
                         "MPI_PROC_NULL is allowed",
                         to, c.peers().size() - 1));
  }
  if (tag < 0 || tag > kMostTag)
    throw CallError(MPI_ERR_TAG, text("the tag is %d; from 0 to %d is allowed", tag, kMostTag));
  prepare(request, Request::Kind::kSend, const_cast<void*>(data), count, to, tag, c);
  request->mode = mode;
}

void prepare_receive(VirtualRank& me, Request* request, void* data, MPI_Count count,
                     MPI_Datatype type, int from, int tag, MPI_Comm communicator) {
  const Communicator& c = me.communicator(communicator);
  check_type_and_count(me, request, count, type, data, from);
  check_source(c.peers(), from, tag);
  prepare(request, Request::Kind::kReceive, data, count, from, tag, c);
}

// ---- under way ----

void start(VirtualRank& me, Request* request) {
  begin(request);
  try {
    if (request->kind == Request::Kind::kCollective) {
      start_collective(me, request);
    } else if (request->peer == MPI_PROC_NULL) {
      if (request->partitions != nullptr) count_partitions(request);
      if (request->with != nullptr) return;  // it is done when its send is
      end(request, request->kind == Request::Kind::kReceive ? null_status() : empty_status());
    } else if (request->partitions != nullptr) {
      start_partitioned(me, request);
    } else if (request->kind == Request::Kind::kSend) {
      start_send(me, request);
    } else {
      start_receive(request);
    }
  } catch (...) {
    request->started = false;
    request->done = !request->on_wire;
    throw;
  }
}

void send_whole(VirtualRank& me, Request* request) {
  if (request->peer != MPI_PROC_NULL) start_send(me, request);
}

bool advance(Request* request) {
  if (request->done) return true;
  try {
    return look(request);
  } catch (const CallError& error) {
    fail(request, error.code, error.what());
  } catch (const Error& error) {
    fail(request, MPI_ERR_OTHER, error.what());
  } catch (const std::bad_alloc&) {
    fail(request, MPI_ERR_NO_MEM, "there is no memory");
  }
  return true;
}

void cancel(Request* request) {
  if (request->generalized != nullptr) {
    const int error = request->generalized->cancel_it(request->done);
    if (error != MPI_SUCCESS)
      throw CallError(error, text("the function that cancels a request returned %d", error));
    return;
  }
  if (request->with != nullptr || request->partitions != nullptr || advance(request)) return;
  if (request->kind == Request::Kind::kSend) return cancel_send(request);
  if (request->kind != Request::Kind::kReceive) return;
  if (!runtime::cancel_receive(&request->wire)) return;
  request->cancelled = true;
  request->on_wire = false;
  end(request, cancelled_status());
}

void wait_for(VirtualRank& me, Request* request) {
  if (!advance(request)) me.wait_until([request] { return advance(request); });
}

// ---- plain ones ----

namespace {

// Bytes of elements that lie in a row, whatever their number; -1: they may not, or are wrong.
std::ptrdiff_t plain_bytes(const void* data, MPI_Count count, MPI_Datatype handle) {
  if (count < 0 || count > INT_MAX) return -1;
  const TypeRef type = predefined(handle);
  if (!type || type->basic == nullptr || type->size != type->bounds.extent()) return -1;
  const MPI_Count bytes = count * type->size;
  const bool is_none = data == nullptr || data == MPI_IN_PLACE;
  return is_none && bytes != 0 ? -1 : static_cast<std::ptrdiff_t>(bytes);
}

// A message under way whose frame may be left.
struct Wire : detail::RequestState {
  bool is_under_way = false;
  ~Wire() {
    if (!is_under_way || done || (kind == Kind::kReceive && runtime::cancel_receive(this))) return;
    wait_for_wire(*this);
  }
};

}  // namespace

bool send_plainly(VirtualRank& me, const void* data, MPI_Count count, MPI_Datatype type, int to,
                  int tag, MPI_Comm communicator) {
  const Communicator& c = me.communicator(communicator);
  const std::ptrdiff_t plain = plain_bytes(data, count, type);
  if (plain < 0 || to < 0 || to >= c.peers().size() || tag < 0 || tag > kMostTag) return false;
  const auto bytes = static_cast<std::size_t>(plain);
  // Constants of the program are pages of its file, where a receiver does not read: that a short
  // one is copied costs less than to look.
  constexpr std::size_t kShort = 128;
  char copy[kShort];
  const void* from = data;
  if (bytes <= kShort) {
    if (bytes != 0) std::memcpy(copy, data, bytes);
    from = copy;
  } else if (Image::running()->is_of_file(data)) {
    return false;
  }
  Wire wire;
  runtime::start_send(&wire, {.context = c.context,
                              .to = c.peers().world_of(to),
                              .tag = tag,
                              .data = from,
                              .bytes = bytes});
  wire.is_under_way = true;
  if (!wire.done) me.wait_until([&] { return wire.done; });
  return true;
}

bool receive_plainly(VirtualRank& me, void* data, MPI_Count count, MPI_Datatype type, int from,
                     int tag, MPI_Comm communicator, MPI_Status* status) {
  const Communicator& c = me.communicator(communicator);
  const std::ptrdiff_t plain = plain_bytes(data, count, type);
  const bool any = from == MPI_ANY_SOURCE;
  if (plain < 0 || (!any && (from < 0 || from >= c.peers().size()))) return false;
  if (tag != MPI_ANY_TAG && (tag < 0 || tag > kMostTag)) return false;
  if (plain != 0 && !runtime::travels(data)) return false;  // a thread_local variable
  const auto room = static_cast<std::size_t>(plain);
  const Group& group = c.peers();
  Wire wire;
  runtime::start_receive(&wire, c.context, world_from(group, from), asked_tag(tag), data, room);
  wire.is_under_way = true;
  if (!wire.done) me.wait_until([&] { return wire.done; });
  answer(wire);
  const MPI_Status got = status_of(wire, group, from, room);
  tell(got, status);
  if (wire.error != Errc{}) throw failure_of(wire, got, room);
  return true;
}

void tell(const MPI_Status& what, MPI_Status* status) {
  if (status == MPI_STATUS_IGNORE || status == nullptr) return;  // of a file, as MPICH has it
  const int error = status->MPI_ERROR;  // only calls for several requests set it
  *status = what;
  status->MPI_ERROR = error;
}

void ask_status(Request* request) {
  if (request->generalized == nullptr) return;
  request->status = empty_status();
  request->error = request->generalized->ask_status(&request->status);
  if (request->error != MPI_SUCCESS)
    request->why = text("the function that is asked for a status returned %d", request->error);
}

void check(const Request& request) {
  if (request.error != MPI_SUCCESS) throw CallError(request.error, request.why);
}

Request::~Request() {
  if (awaits_answer && !acknowledgement.done && !runtime::cancel_receive(&acknowledgement))
    wait_for_wire(acknowledgement);
  if (!on_wire || wire.done) return;
  if (kind == Kind::kReceive && runtime::cancel_receive(&wire)) return;
  wait_for_wire(wire);
}

}  // namespace roam::mpi
