// Partitioned communication (chapter 4.2 of the standard). What is sent goes as one message, when
// all of its partitions are ready.

#include <memory>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/messages.h"
#include "runtime/api/member_messages.h"

namespace roam::mpi {
namespace {

Request& partitioned(VirtualRank& me, MPI_Request handle, Request::Kind kind) {
  Request* request = me.requests.find(handle);
  if (request == nullptr || request->kind != kind || request->partitions == nullptr) {
    throw CallError(MPI_ERR_REQUEST,
                    text("0x%08x is no partitioned %s", static_cast<unsigned>(handle),
                         kind == Request::Kind::kSend ? "send" : "receive"));
  }
  return *request;
}

void check_partition(const Request& request, int partition) {
  const int count = request.partitions->count;
  if (partition < 0 || partition >= count) {
    throw CallError(MPI_ERR_ARG,
                    text("the partition is %d; there are 0 to %d", partition, count - 1));
  }
}

// Sends and receives between two members with one tag belong together in the order in which they
// are made, whatever is started first: the sender makes a context for its messages, and tells it.
void introduce(VirtualRank& me, Request* request, const Communicator& c) {
  Partitions* p = request->partitions.get();
  if (request->peer == MPI_PROC_NULL) return;
  const std::uint64_t context = c.context + kPartitionedContext;
  const int peer = request->group.world_of(request->peer);
  if (request->kind == Request::Kind::kReceive) {
    p->introduced = true;
    runtime::start_receive(&p->introduction, context, peer, request->tag, &p->context,
                           sizeof p->context);
    return;
  }
  request->context = me.make_context();
  detail::RequestState introduction;
  runtime::start_send(&introduction, {.context = context,
                                      .to = peer,
                                      .tag = request->tag,
                                      .data = &request->context,
                                      .bytes = sizeof request->context,
                                      .copied = true});
}

template <class Prepare>
int make(const char* name, int partitions, MPI_Count count, int tag, MPI_Comm communicator,
         MPI_Info info, MPI_Request* handle, Prepare prepare) {
  return call(name, communicator, needs(handle), [&](VirtualRank& me) {
    const Communicator& c = me.communicator(communicator);
    me.info_or_none(info);
    if (partitions < 1)
      throw CallError(MPI_ERR_ARG, text("%d partitions are asked for", partitions));
    if (count < 0) throw CallError(MPI_ERR_COUNT, "a partition has a negative count of elements");
    if (tag == MPI_ANY_TAG) throw CallError(MPI_ERR_TAG, "MPI_ANY_TAG is not allowed here");
    MPI_Count all = 0;
    if (__builtin_mul_overflow(MPI_Count{partitions}, count, &all))
      throw CallError(MPI_ERR_COUNT, "the partitions have more elements than there are numbers");
    auto request = std::make_unique<Request>();
    prepare(me, request.get(), all);
    if (request->peer == MPI_ANY_SOURCE)
      throw CallError(MPI_ERR_RANK, "MPI_ANY_SOURCE is not allowed here");
    request->persistent = true;
    request->partitions = std::make_unique<Partitions>(partitions);
    introduce(me, request.get(), c);
    *handle = me.requests.add(std::move(request));
  });
}

int send_init(const void* data, int partitions, MPI_Count count, MPI_Datatype type, int to, int tag,
              MPI_Comm communicator, MPI_Info info, MPI_Request* handle) {
  return make("MPI_Psend_init", partitions, count, tag, communicator, info, handle,
              [&](VirtualRank& me, Request* request, MPI_Count all) {
                prepare_send(me, request, SendMode::kStandard, data, all, type, to, tag,
                             communicator);
              });
}
int receive_init(void* data, int partitions, MPI_Count count, MPI_Datatype type, int from, int tag,
                 MPI_Comm communicator, MPI_Info info, MPI_Request* handle) {
  return make("MPI_Precv_init", partitions, count, tag, communicator, info, handle,
              [&](VirtualRank& me, Request* request, MPI_Count all) {
                prepare_receive(me, request, data, all, type, from, tag, communicator);
              });
}

void make_ready(VirtualRank& me, MPI_Request handle, int partition) {
  Request& request = partitioned(me, handle, Request::Kind::kSend);
  check_partition(request, partition);
  if (!request.started)
    throw CallError(MPI_ERR_REQUEST, "the partitioned send has not been started");
  const auto at = static_cast<std::size_t>(partition);
  if (request.partitions->ready[at])
    throw CallError(MPI_ERR_ARG, text("partition %d is ready already", partition));
  request.partitions->ready[at] = true;
  if (--request.partitions->waiting == 0) send_whole(me, &request);
}

int ready(int partition, MPI_Request handle) {
  return call("MPI_Pready", MPI_COMM_WORLD,
              [&](VirtualRank& me) { make_ready(me, handle, partition); });
}
int ready_range(int first, int last, MPI_Request handle) {
  return call("MPI_Pready_range", MPI_COMM_WORLD, [&](VirtualRank& me) {
    for (int i = first; i <= last; ++i) make_ready(me, handle, i);
  });
}
int ready_list(int count, const int* partitions, MPI_Request handle) {
  return call("MPI_Pready_list", MPI_COMM_WORLD, needs(if_any(count, partitions)),
              [&](VirtualRank& me) {
                if (count < 0)
                  throw CallError(MPI_ERR_ARG, text("the number of partitions is %d", count));
                for (int i = 0; i < count; ++i) make_ready(me, handle, partitions[i]);
              });
}

// All have come, or none.
int arrived(MPI_Request handle, int partition, int* flag) {
  return call("MPI_Parrived", MPI_COMM_WORLD, needs(flag), [&](VirtualRank& me) {
    *flag = 1;
    if (handle == MPI_REQUEST_NULL) return;
    Request& request = partitioned(me, handle, Request::Kind::kReceive);
    check_partition(request, partition);
    if (!request.started || advance(&request)) return;
    me.look_around();
    *flag = advance(&request) ? 1 : 0;
  });
}

}  // namespace

Partitions::~Partitions() {
  if (is_known() || runtime::cancel_receive(&introduction)) return;
  while (!introduction.done) runtime::wait_for_news("the introduction of a partitioned send");
}

void add_partitioned_calls() {
  add_call("MPI_Psend_init", &send_init);
  add_call("MPI_Precv_init", &receive_init);
  add_call("MPI_Pready", &ready);
  add_call("MPI_Pready_range", &ready_range);
  add_call("MPI_Pready_list", &ready_list);
  add_call("MPI_Parrived", &arrived);
}

}  // namespace roam::mpi
