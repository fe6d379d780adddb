#include "mpi/calls/window_access.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/float_modes.h"
#include "base/text.h"
#include "mpi/calls/call_error.h"
#include "mpi/datatype/operation.h"
#include "mpi/datatype/pack.h"
#include "mpi/datatype/pieces.h"
#include "runtime/api/member_messages.h"

namespace roam::mpi {
namespace {

using What = WindowMessage::Kind;
using Lock = Window::Peer::Lock;

// So many bytes may be on their way from one member to another, and to it from all.
constexpr std::size_t kMostUnconfirmed = 1 << 20;
constexpr std::size_t kFewFetches = 64;

// Sends an operation in messages that go as they are wherever the member is: where the bytes lie
// there, from the target's datatype, and the bytes. Elements of `each` bytes are whole.
class Sending {
 public:
  Sending(VirtualRank& me, Window& w, int to, WindowMessage head, std::size_t each)
      : me_(me), w_(w), to_(to), head_(head), each_(each) {}
  // What is brought: the stream of `count` of `type`.
  void bring(const void* data, MPI_Count count, const Type& type) {
    if (!type.travels(data, count)) pin_.emplace();
    data_ = data;
    count_ = count;
    type_ = &type;
  }
  void add(MPI_Aint offset, std::size_t bytes) {
    while (bytes != 0) {
      if (room() < sizeof(WindowRun) + each_) send();
      const std::size_t now = std::min(bytes, (room() - sizeof(WindowRun)) / each_ * each_);
      runs_.push_back({offset, now});
      bytes_ += now;
      offset += static_cast<MPI_Aint>(now);
      bytes -= now;
    }
  }
  void send() {
    if (runs_.empty()) return;
    head_.runs = static_cast<std::uint32_t>(runs_.size());
    const std::size_t runs = runs_.size() * sizeof(WindowRun);
    std::vector<char> message(sizeof head_ + runs + (type_ != nullptr ? bytes_ : 0));
    std::memcpy(message.data(), &head_, sizeof head_);
    std::memcpy(message.data() + sizeof head_, runs_.data(), runs);
    if (type_ != nullptr) {
      throw_failure(pack(data_, count_, **type_, static_cast<MPI_Count>(head_.at),
                         static_cast<MPI_Count>(bytes_), message.data() + sizeof head_ + runs));
    }
    Window::Peer& peer = w_.peers[to_];
    peer.dirty = true;
    // What it has brought back counts too.
    peer.unconfirmed += sizeof head_ + runs + bytes_ + kMessageBytes;
    me_.windows.send_whole(w_, to_, message.data(), message.size());
    head_.at += bytes_;
    runs_.clear();
    bytes_ = 0;
    hold_back(peer);
  }

 private:
  std::size_t room() const {
    return most_ - sizeof head_ - runs_.size() * sizeof(WindowRun) - bytes_;
  }
  void hold_back(Window::Peer& peer) {
    if (peer.unconfirmed <= kMostUnconfirmed) return;
    ++peer.flushes;
    peer.unconfirmed = 0;
    me_.windows.send(w_, to_, {.kind = What::kFlush});
    me_.wait_until([&] { return peer.flushes == 0; });
  }

  VirtualRank& me_;
  Window& w_;
  int to_;
  WindowMessage head_;
  std::size_t each_;
  const std::size_t most_ = runtime::most_served_bytes();
  const void* data_ = nullptr;
  MPI_Count count_ = 0;
  const Type* type_ = nullptr;
  std::vector<WindowRun> runs_;
  std::size_t bytes_ = 0;  // in them
  // While it waits, the data may be in a variable that others of the rank have too.
  std::optional<this_thread::Pin> pin_;
};

// Whether an epoch is open for the member; takes the lock that MPI_Win_lock_all has left for now.
void enter_epoch(VirtualRank& me, Window& w, int world, int rank) {
  bool open = false;
  switch (w.epoch) {
    case Window::Epoch::kNone:
      break;
    case Window::Epoch::kFence:
      open = w.used = true;
      break;
    case Window::Epoch::kStart:
      open = std::find(w.started.begin(), w.started.end(), world) != w.started.end();
      break;
    case Window::Epoch::kLock: {
      const auto peer = w.peers.find(world);
      open = peer != w.peers.end() && peer->second.named;
      break;
    }
    case Window::Epoch::kLockAll:
      if (w.peers[world].lock != Lock::kHeld) take_locks(me, w, {world}, false);
      open = true;
      break;
  }
  if (open) return;
  throw CallError(MPI_ERR_RMA_SYNC,
                  text("no epoch is open for accesses to rank %d: MPI_Win_fence, MPI_Win_start or "
                       "MPI_Win_lock come first",
                       rank));
}

void check_fits(std::size_t bytes, std::size_t room, const char* what) {
  if (bytes <= room) return;
  throw CallError(MPI_ERR_TRUNCATE, text("%s: %zu bytes for %zu", what, bytes, room));
}

std::shared_ptr<Fetch> make_fetch(Window& w, int world, void* data, MPI_Count count,
                                  const Type& type, std::size_t bytes, bool has_request) {
  auto fetch = std::make_shared<Fetch>();
  fetch->data = data;
  fetch->count = count;
  fetch->type = type;
  fetch->left = bytes;
  fetch->requested = has_request;
  if (bytes == 0) return fetch;
  // Variables that threads have for themselves are others' while this one waits.
  if (!type.travels(data, count)) {
    fetch->staged.resize(bytes);
    fetch->unpacked = false;
    fetch->pin.emplace();
  }
  Window::Peer& peer = w.peers[world];
  w.fetches.push_back(fetch);
  w.fetching += bytes + kMessageBytes;
  ++peer.fetches;
  return fetch;
}

// What has come is put in its place.
void settle(Window& w) {
  const auto begin = std::stable_partition(w.fetches.begin(), w.fetches.end(),
                                           [](const auto& fetch) { return !fetch->has_come(); });
  for (auto fetch = begin; fetch != w.fetches.end(); ++fetch) (*fetch)->finish();
  w.fetches.erase(begin, w.fetches.end());
  w.settled = w.fetches.size();
}

// The operation of an accumulate, and the element that it is of.
const Datatype& checked_element(const Access& a, const Type& target) {
  const Datatype* element = target->unit;
  if (element == nullptr)
    throw CallError(MPI_ERR_TYPE, "a datatype of an accumulate is of one predefined type");
  if (!is_predefined_operation(a.op))
    throw CallError(MPI_ERR_OP, "an accumulate takes operations of the standard only");
  throw_failure(check_operation(a.op, *element));
  return *element;
}
// Integers, logical values and bytes, which are equal when their bits are.
void check_comparable(const Type& type) {
  const bool is_number = type->named() && type->size == type->bounds.extent();
  if (is_number && (!check_operation(MPI_LAND, *type) || !check_operation(MPI_BAND, *type))) return;
  throw CallError(MPI_ERR_TYPE,
                  "what is compared is one integer, logical value or byte of a predefined type");
}
void check_same(const Datatype& element, const Type& type) {
  if (type->unit == nullptr || type->unit->handle != element.handle) {
    throw CallError(MPI_ERR_TYPE, "the datatypes of an accumulate are of the same predefined type");
  }
}

}  // namespace

std::shared_ptr<Fetch> begin_access(VirtualRank& me, Window& w, const Access& a, bool has_request) {
  // Datatypes are looked at also where nothing is to be done.
  const bool accumulates = a.kind == What::kAccumulate || a.kind == What::kGetAccumulate;
  const bool fetches = a.result_type != MPI_DATATYPE_NULL;
  const bool brings = a.kind != What::kGet && !(fetches && a.op == MPI_NO_OP);
  const Type target(me, a.target_type);
  const Type type = brings ? Type(me, a.type) : Type();
  const Type result = fetches ? Type(me, a.result_type) : Type();
  std::size_t bytes = target.bytes(a.target_count);
  if (a.target == MPI_PROC_NULL) return nullptr;
  const int world = world_of(w, a.target);
  if (a.displacement < 0 && w.flavor != MPI_WIN_FLAVOR_DYNAMIC) {
    throw CallError(MPI_ERR_DISP,
                    text("the displacement is %lld", static_cast<long long>(a.displacement)));
  }
  // Of nothing, datatypes need not be alike.
  if ((brings ? type.bytes(a.count) : bytes) == 0) {
    enter_epoch(me, w, world, a.target);
    return nullptr;
  }
  if (a.kind == What::kCompareAndSwap) check_comparable(target);
  const Datatype* element = accumulates ? &checked_element(a, target) : nullptr;
  if (brings) {
    if (accumulates) check_same(*element, type);
    const std::size_t brought = type.bytes(a.count);
    check_fits(brought, bytes, "more is brought than the target's datatype has room for");
    type.check_buffer(a.data, a.count);
    bytes = brought;
  }
  if (fetches) {
    if (accumulates) check_same(*element, result);
    check_fits(bytes, result.bytes(a.result_count), "more is fetched than there is room for");
    result.check_buffer(a.result, a.result_count);
  }
  target.check_committed();
  enter_epoch(me, w, world, a.target);

  WindowMessage head{.kind = a.kind, .op = a.op, .displacement = a.displacement};
  if (accumulates) {
    head.element = element->handle;
    head.modes = FloatModes::now().bits();
  }
  std::shared_ptr<Fetch> fetch;
  if (fetches) {
    me.wait_until([&] { return w.fetching <= kMostUnconfirmed; });
    // A program may wait for requests only, and never for the window.
    if (w.fetches.size() >= 2 * w.settled + kFewFetches) settle(w);
    fetch = make_fetch(w, world, a.result, a.result_count, result, bytes, has_request);
    head.fetch = reinterpret_cast<std::uint64_t>(fetch.get());
  }
  if (a.kind == What::kCompareAndSwap) {
    std::vector<char> body(sizeof(WindowRun) + 2 * bytes);
    const WindowRun run{target->bytes.offset, bytes};
    head.runs = 1;
    std::memcpy(body.data(), &run, sizeof run);
    std::memcpy(body.data() + sizeof run, a.compared, bytes);
    std::memcpy(body.data() + sizeof run + bytes, a.data, bytes);
    w.peers[world].dirty = true;
    me.windows.send(w, world, head, body.data(), body.size());
    return fetch;
  }
  Sending sending(me, w, world, head,
                  accumulates ? static_cast<std::size_t>(element->size) : std::size_t{1});
  if (brings) sending.bring(a.data, a.count, type);
  if (!accumulates) {
    throw_failure(for_each_piece(
        a.target_count, *target, 0, static_cast<MPI_Count>(bytes),
        [&](MPI_Aint at, MPI_Count n) { sending.add(at, static_cast<std::size_t>(n)); }));
  } else {
    std::size_t left = bytes;
    throw_failure(for_each_unit(a.target_count, *target, [&](MPI_Aint at, MPI_Count n) {
      const std::size_t now = std::min(left, static_cast<std::size_t>(n * element->size));
      left -= now;
      sending.add(at, now);
    }));
  }
  sending.send();
  return fetch;
}

int world_of(const Window& w, int rank) {
  if (rank < 0 || rank >= w.communicator.size()) {
    throw CallError(MPI_ERR_RANK, text("the target is rank %d; the window has 0 to %d", rank,
                                       w.communicator.size() - 1));
  }
  return w.communicator.member(rank);
}

void tell_failure(Window& w) {
  if (w.error == MPI_SUCCESS) return;
  throw CallError(std::exchange(w.error, MPI_SUCCESS), std::exchange(w.why, {}));
}

namespace {

void ask_for_confirmation(VirtualRank& me, Window& w, int world, Window::Peer& peer) {
  if (!std::exchange(peer.dirty, false)) return;
  peer.unconfirmed = 0;
  ++peer.flushes;
  me.windows.send(w, world, {.kind = What::kFlush});
}
bool is_done(const Window::Peer& peer) { return peer.flushes == 0 && peer.fetches == 0; }

template <class Done>
void wait_and_settle(VirtualRank& me, Window& w, Done done) {
  // A program that asks in a loop lets others run.
  if (done()) me.look_around();
  me.wait_until(done);
  settle(w);
  tell_failure(w);
}

}  // namespace

void confirm(VirtualRank& me, Window& w, int world) {
  Window::Peer& peer = w.peers[world];
  ask_for_confirmation(me, w, world, peer);
  wait_and_settle(me, w, [&] { return is_done(peer); });
}

void confirm_all(VirtualRank& me, Window& w) {
  for (auto& [world, peer] : w.peers) ask_for_confirmation(me, w, world, peer);
  wait_and_settle(me, w, [&] {
    return std::all_of(w.peers.begin(), w.peers.end(),
                       [](const auto& one) { return is_done(one.second); });
  });
}

void await_fetches(VirtualRank& me, Window& w, int world) {
  Window::Peer& peer = w.peers[world];
  wait_and_settle(me, w, [&] { return peer.fetches == 0; });
}

void await_all_fetches(VirtualRank& me, Window& w) {
  wait_and_settle(me, w, [&] { return w.fetching == 0; });
}

void take_locks(VirtualRank& me, Window& w, const std::vector<int>& worlds, bool exclusive) {
  for (const int world : worlds) {
    Window::Peer& peer = w.peers[world];
    peer.exclusive = exclusive;
    if (peer.lock != Lock::kNone) continue;
    peer.lock = Lock::kAsked;
    me.windows.send(w, world,
                    {.kind = What::kLock, .exclusive = static_cast<std::uint8_t>(exclusive)});
  }
  me.wait_until([&] {
    return std::all_of(worlds.begin(), worlds.end(),
                       [&](int world) { return w.peers[world].lock == Lock::kHeld; });
  });
}

void give_locks_back(VirtualRank& me, Window& w, const std::vector<int>& worlds) {
  for (const int world : worlds) {
    Window::Peer& peer = w.peers[world];
    peer.named = peer.dirty = false;
    peer.unconfirmed = 0;
    me.windows.send(
        w, world, {.kind = What::kUnlock, .exclusive = static_cast<std::uint8_t>(peer.exclusive)});
  }
  wait_and_settle(me, w, [&] {
    return std::all_of(worlds.begin(), worlds.end(), [&](int world) {
      const Window::Peer& peer = w.peers[world];
      return peer.lock == Lock::kNone && is_done(peer);
    });
  });
}

}  // namespace roam::mpi
