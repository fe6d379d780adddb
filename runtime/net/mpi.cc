#include "runtime/net/mpi.h"

#include <dlfcn.h>
#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "base/check.h"
#include "base/job_record.h"
#include "base/os/give_core.h"
#include "base/text.h"
#include "roam/error.h"
#include "runtime/net/node_size.h"
#include "runtime/net/started.h"
#include "runtime/net/ucx_disconnect.h"

namespace roam::runtime {
namespace {

constexpr int kChannelTag = 1;
constexpr int kNowTag = 2;
// Receives that are posted ahead, for any rank.
constexpr int kPosted = 4;
// Sends that are not asked whether they are done, each some 20 ns, before somebody has time to.
constexpr std::size_t kMostUnseen = 16;
// Buffers that are kept for the next sends when none is under way.
constexpr std::size_t kMostSpareSends = 64;
// Below INT_MAX, a multiple of the page.
constexpr std::size_t kMostChunk = std::size_t{1} << 30;
// How often who waits for a collective gives its core up before it sleeps.
constexpr int kMostTurns = 50;

void check(int result, const char* call) {
  ROAM_CHECK(result == MPI_SUCCESS, "%s failed with MPI error %d", call, result);
}
#define ROAM_MPI(call) check(call, #call)

// Who watches the job is told that it was MPI that could not go on, as when it has lost a rank.
void end_by_error(MPI_Comm*, int* code, ...) {
  char text[MPI_MAX_ERROR_STRING + 1] = "";
  int bytes = 0;
  MPI_Error_string(*code, text, &bytes);
  job_record::loses(text);
  fatal("MPI: %s", text);
}

// Asks `done()` until it is so, however many ranks a core has: MPICH's own waits keep their core,
// and each step of a collective takes as long as a turn of who waits there
// (docs/decisions/0058-collectives-at-the-start.md).
template <class Done>
void wait_until(Done done) {
  for (int turns = 0; !done(); ++turns) {
    if (turns < kMostTurns) {
      os::give_core();
    } else {
      os::stop_for_us(20);
    }
  }
}

void await(MPI_Request request) {
  wait_until([&] {
    int done = 0;
    ROAM_MPI(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
    return done != 0;
  });
}

void duplicate(MPI_Comm* comm) {
  MPI_Request made;
  ROAM_MPI(MPI_Comm_idup(MPI_COMM_WORLD, comm, &made));
  await(made);
  if (!job_record::wanted()) return;
  MPI_Errhandler handler = MPI_ERRHANDLER_NULL;
  ROAM_MPI(MPI_Comm_create_errhandler(end_by_error, &handler));
  ROAM_MPI(MPI_Comm_set_errhandler(*comm, handler));
  ROAM_MPI(MPI_Errhandler_free(&handler));
}

void broadcast_in(MPI_Comm comm, void* data, std::size_t bytes, int from) {
  MPI_Request done;
  ROAM_MPI(MPI_Ibcast(data, static_cast<int>(bytes), MPI_BYTE, from, comm, &done));
  await(done);
}

// In place, on all ranks.
void reduce_in(MPI_Comm comm, void* data, std::size_t count, MPI_Datatype type, MPI_Op op) {
  MPI_Request done;
  ROAM_MPI(MPI_Iallreduce(MPI_IN_PLACE, data, static_cast<int>(count), type, op, comm, &done));
  await(done);
}

// Whether Open MPI gives the processor up when it is asked in vain, which it does by itself where
// there are more ranks than cores. Returns what was so. Of 4.1 and 5.0; 5.0 has no variable for it.
// Other MPIs do not: false.
bool set_yields(bool yields) {
  static const auto set =
      reinterpret_cast<bool (*)(bool)>(dlsym(RTLD_DEFAULT, "opal_progress_set_yield_when_idle"));
  return set != nullptr && set(yields);
}

}  // namespace

struct Mpi::State {
  MPI_Comm world = MPI_COMM_NULL;  // a copy, so that the program's own messages never meet ours
  MPI_Comm bulk[2] = {MPI_COMM_NULL, MPI_COMM_NULL};  // by Channel
  MPI_Comm host = MPI_COMM_NULL;
  MPI_Comm node = MPI_COMM_NULL;
  struct Buffer {
    std::vector<char> bytes;
    MPI_Request request = MPI_REQUEST_NULL;
  };
  std::vector<std::unique_ptr<Buffer>> posted;
  std::size_t next_posted = 0;
  bool yielded = false;  // before the run, when asked in vain
  bool open = false;
  MPI_Status come;                        // of the message at next_posted, if one waits
  bool out = false;                       // it is being read
  bool released = false;                  // it was read, and its buffer is not posted yet
  std::vector<std::vector<char>> set_by;  // messages that are still read, while others are received
  std::vector<std::unique_ptr<Buffer>> sends;
  std::vector<std::size_t> idle_sends;
  std::size_t composing = 0;
  std::size_t composed_bytes = 0;
  std::uint64_t wave_in[kWaveCounts];
  std::uint64_t wave_out[kWaveCounts];
  MPI_Request wave = MPI_REQUEST_NULL;
};

void Mpi::start(int* argc, char*** argv) {
  ours_ = start_mpi(argc, argv);
  state_ = new State;
  // A rank that has threads to run asks between them, and would lose its turn to every other
  // process each time. Who has nothing to run gives its core up in Job::rest.
  if (std::getenv("OMPI_MCA_mpi_yield_when_idle") == nullptr) state_->yielded = set_yields(false);
  duplicate(&state_->world);
  for (MPI_Comm& bulk : state_->bulk) duplicate(&bulk);
  ROAM_MPI(MPI_Comm_rank(state_->world, &rank_));
  ROAM_MPI(MPI_Comm_size(state_->world, &ranks_));
}

void Mpi::finish() {
  if (state_->node != state_->host) ROAM_MPI(MPI_Comm_free(&state_->node));
  if (state_->host != MPI_COMM_NULL) ROAM_MPI(MPI_Comm_free(&state_->host));
  for (MPI_Comm& bulk : state_->bulk) ROAM_MPI(MPI_Comm_free(&bulk));
  ROAM_MPI(MPI_Comm_free(&state_->world));
  if (state_->yielded) set_yields(true);
  delete state_;
  state_ = nullptr;
  if (ours_) {
    NoUcxDisconnect traffic_has_ended;
    ROAM_MPI(MPI_Finalize());
  }
  ours_ = false;
}

namespace {
std::atomic<bool> job_ends = false;
}  // namespace

bool Mpi::aborts() { return job_ends.load(std::memory_order_relaxed); }

void Mpi::abort(int status) {
  job_record::fails(status);
  job_ends.store(true, std::memory_order_relaxed);
  int started = 0, ended = 0;
  MPI_Initialized(&started);
  MPI_Finalized(&ended);
  os::stop_for_us(100'000);  // the launcher drops what it has not read when a rank aborts
  if (started != 0 && ended == 0) MPI_Abort(MPI_COMM_WORLD, status);
  _exit(status);
}

void Mpi::cut_nodes(int node_ranks, int most) {
  MPI_Comm& host = state_->host;
  ROAM_MPI(MPI_Comm_split_type(state_->world, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &host));
  int host_rank = 0;
  ROAM_MPI(MPI_Comm_rank(host, &host_rank));
  ROAM_MPI(MPI_Comm_size(host, &host_ranks_));
  const int size = node_size(host_ranks_, node_ranks, most);
  int least[2] = {size, -size};
  reduce_in(host, least, 2, MPI_INT, MPI_MIN);
  if (least[0] != -least[1]) {
    throw Error(Errc::bad_option,
                text("ROAM_NODE_RANKS: ranks of this machine are cut into nodes of %d and of %d; "
                     "give all of them the same",
                     least[0], -least[1]));
  }
  // A split takes as long as ten steps of collectives.
  if (size == host_ranks_) {
    state_->node = host;
  } else if (size == 1) {
    ROAM_MPI(MPI_Comm_dup(MPI_COMM_SELF, &state_->node));
  } else {
    ROAM_MPI(MPI_Comm_split(host, host_rank / size, host_rank, &state_->node));
  }
  ROAM_MPI(MPI_Comm_rank(state_->node, &node_rank_));
  ROAM_MPI(MPI_Comm_size(state_->node, &node_ranks_));
}

bool Mpi::host_union(std::vector<std::uint64_t>* words) {
  int host_rank = 0;
  ROAM_MPI(MPI_Comm_rank(state_->host, &host_rank));
  reduce_in(state_->host, words->data(), words->size(), MPI_UINT64_T, MPI_BOR);
  return host_rank == 0;
}

void Mpi::node_broadcast(void* data, std::size_t bytes) {
  broadcast_in(state_->node, data, bytes, 0);
}

void Mpi::broadcast(void* data, std::size_t bytes) { broadcast_in(state_->world, data, bytes, 0); }

std::vector<int> Mpi::gather_ints(int value) {
  std::vector<int> all(static_cast<std::size_t>(ranks_));
  MPI_Request gathered;
  ROAM_MPI(MPI_Iallgather(&value, 1, MPI_INT, all.data(), 1, MPI_INT, state_->world, &gathered));
  await(gathered);
  return all;
}

// As signed numbers in the same order: MPICH 4.0 compares unsigned ones so
// (findings/mpich-orders-unsigned-numbers-as-signed.sh).
std::uint64_t Mpi::min(std::uint64_t value) {
  constexpr std::uint64_t kTop = std::uint64_t{1} << 63;
  auto least = static_cast<std::int64_t>(value ^ kTop);
  reduce_in(state_->world, &least, 1, MPI_INT64_T, MPI_MIN);
  return static_cast<std::uint64_t>(least) ^ kTop;
}

std::string Mpi::first_said(const std::string& s) {
  const std::uint64_t speaker = min(s.empty() ? UINT64_MAX : static_cast<std::uint64_t>(rank_));
  return speaker == UINT64_MAX ? std::string() : broadcast_text(s, static_cast<int>(speaker));
}

std::uint64_t Mpi::sum(std::uint64_t value) {
  reduce_in(state_->world, &value, 1, MPI_UINT64_T, MPI_SUM);
  return value;
}

bool Mpi::alike(std::uint64_t value) { return min(value) == ~min(~value); }

std::string Mpi::broadcast_text(const std::string& s, int from) {
  std::uint64_t length = s.size();
  broadcast_in(state_->world, &length, sizeof length, from);
  std::string result = s;
  result.resize(length);
  // In parts that an int can count.
  for (std::uint64_t at = 0; at < length; at += kMostChunk) {
    const std::size_t part = std::min(length - at, kMostChunk);
    broadcast_in(state_->world, result.data() + at, part, from);
  }
  return result;
}

void Mpi::barrier() {
  MPI_Request all_came;
  ROAM_MPI(MPI_Ibarrier(state_->world, &all_came));
  await(all_came);
}

// ---- between two ranks ----

// Not on the channel's communicator: its receives take whatever comes.
void Mpi::send_now(int to, const void* data, std::size_t bytes) {
  MPI_Request sent;
  ROAM_MPI(MPI_Isend(data, static_cast<int>(bytes), MPI_BYTE, to, kNowTag, state_->bulk[0], &sent));
  await(sent);
}

void Mpi::receive_now(int from, std::vector<char>* data) {
  MPI_Status status;
  wait_until([&] {
    int there = 0;
    ROAM_MPI(MPI_Iprobe(from, kNowTag, state_->bulk[0], &there, &status));
    return there != 0;
  });
  int count = 0;
  ROAM_MPI(MPI_Get_count(&status, MPI_BYTE, &count));
  data->resize(static_cast<std::size_t>(count));
  MPI_Request received;
  ROAM_MPI(MPI_Irecv(data->data(), count, MPI_BYTE, from, kNowTag, state_->bulk[0], &received));
  await(received);
}

// ---- messages ----

void Mpi::open_channel(std::size_t most_bytes) {
  most_bytes_ = most_bytes;
  sent_ = received_ = sent_apart_ = received_apart_ = 0;
  state_->open = true;
  state_->next_posted = 0;
  if (ranks_ == 1) return;
  for (int i = 0; i < kPosted; ++i) {
    auto buffer = std::make_unique<State::Buffer>();
    buffer->bytes.resize(most_bytes);
    ROAM_MPI(MPI_Irecv(buffer->bytes.data(), static_cast<int>(most_bytes), MPI_BYTE, MPI_ANY_SOURCE,
                       kChannelTag, state_->world, &buffer->request));
    state_->posted.push_back(std::move(buffer));
  }
}

void Mpi::close_channel() {
  ROAM_CHECK(!waits_, "a message waits when the run has ended");
  while (!sending_.empty()) progress_sends();
  if (!state_->posted.empty()) repost();
  for (auto& buffer : state_->posted) {
    ROAM_MPI(MPI_Cancel(&buffer->request));
    ROAM_MPI(MPI_Wait(&buffer->request, MPI_STATUS_IGNORE));
  }
  state_->posted.clear();
  state_->open = false;
}

bool Mpi::channel_open() const { return state_ != nullptr && state_->open; }

char* Mpi::compose(std::size_t bytes) {
  ROAM_CHECK(bytes <= most_bytes_, "a message of %zu bytes is longer than the %zu allowed", bytes,
             most_bytes_);
  if (state_->idle_sends.empty()) progress_sends();
  if (state_->idle_sends.empty()) {
    state_->idle_sends.push_back(state_->sends.size());
    state_->sends.push_back(std::make_unique<State::Buffer>());
  }
  state_->composing = state_->idle_sends.back();
  state_->composed_bytes = bytes;
  std::vector<char>& room = state_->sends[state_->composing]->bytes;
  if (room.size() < bytes) room.resize(std::max<std::size_t>(bytes, 512));
  return room.data();
}

void Mpi::send(int to) {
  State::Buffer& buffer = *state_->sends[state_->composing];
  state_->idle_sends.pop_back();
  ROAM_MPI(MPI_Isend(buffer.bytes.data(), static_cast<int>(state_->composed_bytes), MPI_BYTE, to,
                     kChannelTag, state_->world, &buffer.request));
  sending_.push_back(state_->composing);
  ++sent_;
  // Short ones are done as soon as they are sent; looking is for poll().
  if (sending_.size() > kMostUnseen) progress_sends();
}

void Mpi::progress_sends() {
  while (!sending_.empty()) {
    int done = 0;
    ROAM_MPI(MPI_Test(&state_->sends[sending_.front()]->request, &done, MPI_STATUS_IGNORE));
    if (done == 0) return;
    state_->idle_sends.push_back(sending_.front());
    sending_.pop_front();
  }
  if (state_->sends.size() > kMostSpareSends) drop_spare_sends();
}

// After a flood. All are idle.
void Mpi::drop_spare_sends() {
  state_->sends.resize(kMostSpareSends);
  state_->idle_sends.resize(kMostSpareSends);
  std::iota(state_->idle_sends.begin(), state_->idle_sends.end(), std::size_t{0});
}

std::size_t Mpi::send_buffers() const { return state_->sends.size(); }

bool Mpi::look() {
  if (waits_) return true;
  if (state_->posted.empty()) return false;
  if (state_->out) {
    // Who reads a message waits for others meanwhile: it keeps its bytes, where they are.
    std::vector<char>& bytes_out = state_->posted[state_->next_posted]->bytes;
    state_->set_by.push_back(std::move(bytes_out));
    bytes_out = std::vector<char>(most_bytes_);
    state_->out = false;
    state_->released = true;
  }
  repost();
  int done = 0;
  ROAM_MPI(MPI_Test(&state_->posted[state_->next_posted]->request, &done, &state_->come));
  waits_ = done != 0;
  return waits_;
}

const char* Mpi::receive(int* from, std::size_t* bytes) {
  if (!look()) return nullptr;
  int count = 0;
  ROAM_MPI(MPI_Get_count(&state_->come, MPI_BYTE, &count));
  *from = state_->come.MPI_SOURCE;
  *bytes = static_cast<std::size_t>(count);
  waits_ = false;
  state_->out = true;
  return state_->posted[state_->next_posted]->bytes.data();
}

// The buffer is posted again when the next message is looked for: what this one brought may run
// first. Messages are released in the reverse order of their receipt.
void Mpi::release() {
  ++received_;
  if (state_->out) {
    state_->out = false;
    state_->released = true;
  } else {
    state_->set_by.pop_back();
  }
}

// Posted receives match in the order in which they were posted: the one just read goes to the end.
void Mpi::repost() {
  if (!state_->released) return;
  state_->released = false;
  State::Buffer& buffer = *state_->posted[state_->next_posted];
  ROAM_MPI(MPI_Irecv(buffer.bytes.data(), static_cast<int>(most_bytes_), MPI_BYTE, MPI_ANY_SOURCE,
                     kChannelTag, state_->world, &buffer.request));
  state_->next_posted = (state_->next_posted + 1) % state_->posted.size();
}

// ---- bulk ----

struct Mpi::Bulk::Requests {
  std::vector<MPI_Request> all;
};

std::unique_ptr<Mpi::Bulk> Mpi::start_bulk(Channel channel) {
  return std::make_unique<Bulk>(*this, channel);
}

Mpi::Bulk::Bulk(Mpi& mpi, Channel channel)
    : mpi_(mpi), channel_(channel), requests_(std::make_unique<Requests>()) {}
Mpi::Bulk::~Bulk() = default;

void Mpi::Bulk::send(int to, int tag, const void* data, std::size_t bytes) {
  const char* at = static_cast<const char*>(data);
  for (std::size_t sent = 0; sent < bytes;) {
    const std::size_t chunk = std::min(bytes - sent, kMostChunk);
    requests_->all.emplace_back();
    ROAM_MPI(MPI_Isend(at + sent, static_cast<int>(chunk), MPI_BYTE, to, tag,
                       mpi_.state_->bulk[static_cast<int>(channel_)], &requests_->all.back()));
    sent += chunk;
  }
}

void Mpi::Bulk::receive(int from, int tag, void* data, std::size_t bytes) {
  char* at = static_cast<char*>(data);
  for (std::size_t got = 0; got < bytes;) {
    const std::size_t chunk = std::min(bytes - got, kMostChunk);
    requests_->all.emplace_back();
    ROAM_MPI(MPI_Irecv(at + got, static_cast<int>(chunk), MPI_BYTE, from, tag,
                       mpi_.state_->bulk[static_cast<int>(channel_)], &requests_->all.back()));
    got += chunk;
  }
}

bool Mpi::Bulk::done() {
  int all_done = 0;
  ROAM_MPI(MPI_Testall(static_cast<int>(requests_->all.size()), requests_->all.data(), &all_done,
                       MPI_STATUSES_IGNORE));
  return all_done != 0;
}

// ---- waves ----

void Mpi::start_wave(const std::uint64_t (&counts)[kWaveCounts]) {
  std::copy(std::begin(counts), std::end(counts), state_->wave_in);
  ROAM_MPI(MPI_Iallreduce(state_->wave_in, state_->wave_out, kWaveCounts, MPI_UINT64_T, MPI_SUM,
                          state_->world, &state_->wave));
  wave_started_ = true;
}

bool Mpi::wave_done(std::uint64_t (&sums)[kWaveCounts]) {
  int done = 0;
  ROAM_MPI(MPI_Test(&state_->wave, &done, MPI_STATUS_IGNORE));
  if (done == 0) return false;
  wave_started_ = false;
  std::copy(std::begin(state_->wave_out), std::end(state_->wave_out), sums);
  return true;
}

}  // namespace roam::runtime
