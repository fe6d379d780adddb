#ifndef ROAM_TEAM_H_
#define ROAM_TEAM_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "roam/checkpoint.h"
#include "roam/data.h"
#include "roam/error.h"
#include "roam/request.h"
#include "roam/thread.h"

// Teams: threads that work together, wherever they are.
//
//   roam::Team team = roam::spawn_team(64, [] {
//     roam::Team team = roam::Team::current();
//     const int right = (team.index() + 1) % team.size();
//     team.send(right, 0, std::string("hello"));
//     std::string text = team.recv<std::string>(roam::kAny, 0);
//     double sum = team.allreduce(1.0);
//     team.balance();
//   });
//   team.join();
//
// Messages go from member to member and find a member that has moved, is moving, or moves before
// they arrive. Between two members they are never lost, doubled or overtaken. What can be sent: a
// contiguous range (std::vector, std::span, std::string, an array) of trivially copyable elements,
// which goes as its elements; a trivially copyable value; anything with a pup (roam/pup.h).
namespace roam {

// An operation of reduce and allreduce whose order does not matter to the caller:
// team.allreduce(x, roam::AnyOrder(std::plus<>())). Parts are combined as they come, so that a sum
// of floating-point numbers may differ in its last bits from run to run; docs/teams.md says what is
// saved. Sums, products and bit operations of integers are done like that by themselves.
template <class Op = std::plus<>>
struct AnyOrder {
  AnyOrder() = default;
  explicit AnyOrder(Op operation) : op(operation) {}
  template <class T>
  T operator()(const T& a, const T& b) const {
    return op(a, b);
  }
  [[no_unique_address]] Op op{};
};

namespace detail {

// Whether every order of combining gives the same bits.
template <class T, class Op>
inline constexpr bool kAnyOrder = false;
template <class T, class Op>
inline constexpr bool kAnyOrder<T, AnyOrder<Op>> = true;
template <std::integral T>
inline constexpr bool kAnyOrder<T, std::plus<>> = true;
template <std::integral T>
inline constexpr bool kAnyOrder<T, std::multiplies<>> = true;
template <std::integral T>
inline constexpr bool kAnyOrder<T, std::bit_and<>> = true;
template <std::integral T>
inline constexpr bool kAnyOrder<T, std::bit_or<>> = true;
template <std::integral T>
inline constexpr bool kAnyOrder<T, std::bit_xor<>> = true;

// Whether it neither throws nor waits, whatever the elements are.
template <class T, class Op>
inline constexpr bool kOfNumbers = std::is_arithmetic_v<T> &&
                                   (std::is_same_v<Op, std::plus<>> ||
                                    std::is_same_v<Op, std::plus<T>> ||
                                    std::is_same_v<Op, std::multiplies<>> || kAnyOrder<T, Op>);
template <class T, class Op>
inline constexpr bool kOfNumbers<T, AnyOrder<Op>> = kOfNumbers<T, Op>;

struct CollectiveCall;

Received team_send_blocking(std::uint64_t team, int to, int tag, const void* data,
                            std::size_t bytes);
Received team_recv(std::uint64_t team, int from, int tag, void* data, std::size_t bytes,
                   std::size_t element_bytes);
bool team_probe(std::uint64_t team, int from, int tag, bool wait, Received* found);
// With `copy` the data is copied at once; else it is the sender's until the request is done.
RequestState* team_isend(std::uint64_t team, int to, int tag, const void* data, std::size_t bytes,
                         bool copy);
RequestState* team_irecv(std::uint64_t team, int from, int tag, void* data, std::size_t bytes,
                         std::size_t element_bytes);
RequestState* team_collective(std::uint64_t team, const CollectiveCall& call);
void team_collective_now(std::uint64_t team, const CollectiveCall& call);
RequestState* team_alltoall(std::uint64_t team, const void* in, void* out, std::size_t bytes);
int team_index(std::uint64_t team);
int team_balance(std::uint64_t team);

// One member's part in a collective. The result of all is the same shape for everybody. A number is
// never used again: programs and checkpoints have it.
enum class CollectiveKind : std::uint32_t {
  kBarrier = 1,   // nothing
  kBroadcast,     // out: the root's `bytes`
  kReduce,        // out, at the root: the combination of all
  kAllreduce,     // out: the combination of all
  kGather,        // out, at the root: size() times `bytes`, in the order of members
  kAllgather,     // out: the same, everywhere
  kScatter,       // in, at the root: size() times `bytes`; out: one's own part
  kScan,          // out: the combination of members 0 to oneself
  kBalance,       // internal
  kBalanceApart,  // internal
};
const char* to_string(CollectiveKind kind);

// Combines `count` elements at `from` into those at `into`, which are those of a lower index where
// order is kept.
using Combine = void (*)(const void* op, void* into, const void* from, std::size_t count);

struct CollectiveCall {
  static constexpr std::size_t kMostOpBytes = 48;
  static constexpr std::size_t kMostAlignment = 16;
  CollectiveKind kind;
  int root = 0;
  const void* in = nullptr;
  void* out = nullptr;
  std::size_t bytes = 0;  // of one member's part
  std::size_t count = 0;  // elements of one member's part
  Combine combine = nullptr;
  bool blocking = false;   // the caller goes on when it is done
  bool any_order = false;  // parts may be combined as they come
  bool of_numbers = true;  // the operation is one of the language's, not the program's own
  alignas(kMostAlignment) unsigned char op[kMostOpBytes] = {};
};

template <class T, class Op>
CollectiveCall reduction(CollectiveKind kind, int root, const T* in, T* out, std::size_t count,
                         const Op& op) {
  static_assert(std::is_trivially_copyable_v<Op> && sizeof(Op) <= CollectiveCall::kMostOpBytes,
                "the operation travels as its bytes: at most 48, trivially copyable");
  static_assert(
      alignof(T) <= CollectiveCall::kMostAlignment && alignof(Op) <= CollectiveCall::kMostAlignment,
      "elements and operations are aligned to 16 bytes at most");
  CollectiveCall call{
      .kind = kind, .root = root, .in = in, .out = out, .bytes = count * sizeof(T), .count = count};
  call.any_order = kAnyOrder<T, Op>;
  call.of_numbers = kOfNumbers<T, Op>;
  new (call.op) Op(op);
  call.combine = [](const void* f, void* into, const void* from, std::size_t n) {
    const Op& combine = *static_cast<const Op*>(f);
    T* a = static_cast<T*>(into);
    const T* b = static_cast<const T*>(from);
    for (std::size_t i = 0; i < n; ++i) a[i] = combine(a[i], b[i]);
  };
  return call;
}

}  // namespace detail

// A handle of a team: trivially copyable, valid on every rank and inside migrating memory.
class Team {
 public:
  constexpr Team() = default;
  // The team that the calling thread is a member of. Errors: Errc::not_in_team.
  static Team current();

  constexpr std::uint64_t id() const { return id_; }
  constexpr explicit operator bool() const { return id_ != 0; }
  friend constexpr bool operator==(Team a, Team b) { return a.id_ == b.id_; }
  // Number of members.
  constexpr int size() const { return size_; }
  // The calling thread's index, from 0. Errors: Errc::not_in_team.
  int index() const { return detail::team_index(id_); }
  // Waits until all members have ended and rethrows what escaped from the one of the lowest index,
  // as roam::join does. Context: any thread.
  void join() const { maker_.join(); }

  // ---- messages between two members ----
  //
  // Context: members; may suspend. Tags are 0 to 2^30.
  // Errors:  Errc::not_in_team, Errc::no_such_member, Errc::bad_option (a negative tag).

  // Sends `data` to member `to`. Returns when `data` may be changed again: at once for up to some
  // KiB, else when it has been received or the sender's rank had nothing better to do than to copy
  // it. So two members may both send first.
  template <class Data>
  void send(int to, int tag, const Data& data) const {
    const detail::Packed<Data> packed(data);
    detail::team_send_blocking(id_, to, tag, packed.data(), packed.bytes());
  }
  // Receives the next message from `from` (or kAny) with `tag` (or kAny) into `data`, whose size is
  // the most that it takes.
  // Errors: Errc::message_too_long; the message stays and can be received again.
  template <class Data>
  requires(detail::IsPlainRange<Data> || detail::IsPlain<std::remove_cvref_t<Data>>) Received
      recv(int from, int tag, Data&& data)
  const {
    return detail::team_recv(id_, from, tag, detail::bytes_at(data), detail::bytes_of(data),
                             detail::element_bytes<Data>());
  }
  // The next message as a T: a plain value, a container of plain values as long as what comes, or
  // anything with a pup.
  template <class T>
  T recv(int from, int tag, Received* received = nullptr) const {
    Received got;
    detail::team_probe(id_, from, tag, true, &got);
    return detail::unpack<T>(got, [&](void* data, std::size_t bytes, std::size_t element) {
      const Received r = detail::team_recv(id_, got.from, got.tag, data, bytes, element);
      if (received != nullptr) *received = r;
    });
  }
  // The same without waiting. `data` must stay as it is until the request is done; what has a pup
  // is packed at once.
  template <class Data>
  [[nodiscard]] Request isend(int to, int tag, const Data& data) const {
    const detail::Packed<Data> packed(data);
    return RequestAccess::make(detail::team_isend(id_, to, tag, packed.data(), packed.bytes(),
                                                  detail::Packed<Data>::kTemporary));
  }
  template <class Data>
  requires(detail::IsPlainRange<Data> || detail::IsPlain<std::remove_cvref_t<Data>>)
      [[nodiscard]] Request irecv(int from, int tag, Data&& data) const {
    return RequestAccess::make(detail::team_irecv(id_, from, tag, detail::bytes_at(data),
                                                  detail::bytes_of(data),
                                                  detail::element_bytes<Data>()));
  }
  // Waits for a message that recv would take, and leaves it. `count` is in bytes.
  Received probe(int from, int tag) const {
    Received found;
    detail::team_probe(id_, from, tag, true, &found);
    return found;
  }
  // The same without waiting: nothing if there is none.
  std::optional<Received> iprobe(int from, int tag) const {
    Received found;
    if (!detail::team_probe(id_, from, tag, false, &found)) return std::nullopt;
    return found;
  }

  // ---- collectives ----
  //
  // With ROAM_BALANCE=auto, members may return from the blocking forms on another rank.
  // Every member makes the same calls in the same order, with the same root and sizes; members that
  // disagree stop the job with a message. Elements are plain. Each call has a form that begins with
  // i and returns a Request, whose data must stay until it is done; any number may be under way.
  // Operations are associative. Of reduce, allreduce and scan the order of members is kept, and
  // what is combined with what follows from their number alone: the same numbers give the same bits
  // in every run, wherever members are. AnyOrder gives that up for speed. Operations run for other
  // members too, on no thread: they cannot wait, and one that throws ends the job. Errors:
  // Errc::not_in_team, Errc::no_such_member (the root), Errc::bad_option (a size).

  void barrier() const { run({.kind = detail::CollectiveKind::kBarrier}); }
  [[nodiscard]] Request ibarrier() const {
    return start({.kind = detail::CollectiveKind::kBarrier});
  }

  // `data` becomes what it is at member `root`.
  template <class Data>
  void broadcast(int root, Data&& data) const {
    run(broadcast_call(root, data));
  }
  template <class Data>
  [[nodiscard]] Request ibroadcast(int root, Data&& data) const {
    return start(broadcast_call(root, data));
  }

  // Element by element, in place: `data` becomes the combination of all members' `data`; reduce:
  // that of member `root` only; scan: that of members 0 to the caller.
  template <class Data, class Op = std::plus<>>
  [[nodiscard]] Request iallreduce(Data&& data, Op op = {}) const {
    return start(reduction_call(detail::CollectiveKind::kAllreduce, 0, data, op));
  }
  template <class Data, class Op = std::plus<>>
  [[nodiscard]] Request ireduce(int root, Data&& data, Op op = {}) const {
    return start(reduction_call(detail::CollectiveKind::kReduce, root, data, op));
  }
  template <class Data, class Op = std::plus<>>
  [[nodiscard]] Request iscan(Data&& data, Op op = {}) const {
    return start(reduction_call(detail::CollectiveKind::kScan, 0, data, op));
  }
  // The combination as a value of its own. reduce: at other members than the root, `value`.
  template <class Data, class Op = std::plus<>>
  Data allreduce(Data value, Op op = {}) const {
    run(reduction_call(detail::CollectiveKind::kAllreduce, 0, value, op));
    return value;
  }
  template <class Data, class Op = std::plus<>>
  Data reduce(int root, Data value, Op op = {}) const {
    run(reduction_call(detail::CollectiveKind::kReduce, root, value, op));
    return value;
  }
  template <class Data, class Op = std::plus<>>
  Data scan(Data value, Op op = {}) const {
    run(reduction_call(detail::CollectiveKind::kScan, 0, value, op));
    return value;
  }

  // All members' `in`, one after the other in their order, at `out`: at the root, or everywhere.
  // `out` has room for size() times `in`; elsewhere it may be empty.
  template <class In, class Out>
  [[nodiscard]] Request igather(int root, const In& in, Out&& out) const {
    return start(gather_call(root, in, out));
  }
  template <class In, class Out>
  [[nodiscard]] Request iallgather(const In& in, Out&& out) const {
    return start(allgather_call(in, out));
  }
  // The same as a vector; empty where it does not go.
  template <class In>
  std::vector<detail::Element<In>> gather(int root, const In& in) const {
    std::vector<detail::Element<In>> all;
    if (index() == root) all.resize(elements_of(in) * static_cast<std::size_t>(size_));
    run(gather_call(root, in, all));
    return all;
  }
  template <class In>
  std::vector<detail::Element<In>> allgather(const In& in) const {
    std::vector<detail::Element<In>> all(elements_of(in) * static_cast<std::size_t>(size_));
    run(allgather_call(in, all));
    return all;
  }

  // Part i of the root's `in`, which is size() times `out`, at member i's `out`.
  template <class In, class Out>
  void scatter(int root, const In& in, Out&& out) const {
    run(scatter_call(root, in, out));
  }
  template <class In, class Out>
  [[nodiscard]] Request iscatter(int root, const In& in, Out&& out) const {
    return start(scatter_call(root, in, out));
  }

  // Part i of each member's `in` goes to member i; part j of `out` is what member j sent. Both have
  // size() parts of one length.
  template <class In, class Out>
  void alltoall(const In& in, Out&& out) const {
    (void)ialltoall(in, out).wait();
  }
  template <class In, class Out>
  [[nodiscard]] Request ialltoall(const In& in, Out&& out) const {
    detail::require_plain<Out>();
    (void)index();  // refuses who is no member, above all of an empty team
    const std::size_t part = detail::bytes_of(in) / static_cast<std::size_t>(size_);
    check_room("ialltoall", detail::bytes_of(in), part);
    check_room("ialltoall", detail::bytes_of(out), part);
    return RequestAccess::make(
        detail::team_alltoall(id_, detail::bytes_at(in), detail::bytes_at(out), part));
  }

  // ---- balancing (docs/balancing.md) ----

  // A point that all members reach: what each has computed since the last time is looked at, and
  // those that had better be elsewhere return from it there. ROAM_BALANCE names the strategy; "off"
  // makes this a barrier. Returns the number of members that were asked to move.
  int balance() const { return detail::team_balance(id_); }

  // ---- checkpoints (docs/checkpoint.md) ----

  // A point that all members reach: one of them calls roam::checkpoint(folder) when all are there,
  // and every member returns what that returned. Errors: on every member, those of
  // roam::checkpoint.
  Resumed checkpoint(std::string_view folder) const;

 private:
  friend struct TeamAccess;
  constexpr Team(std::uint64_t id, int size, Thread maker) : id_(id), size_(size), maker_(maker) {}
  Request start(const detail::CollectiveCall& call) const {
    return RequestAccess::make(detail::team_collective(id_, call));
  }
  void run(const detail::CollectiveCall& call) const { detail::team_collective_now(id_, call); }

  template <class Data>
  static detail::CollectiveCall broadcast_call(int root, Data& data) {
    detail::require_plain<Data>();
    return {.kind = detail::CollectiveKind::kBroadcast,
            .root = root,
            .in = detail::bytes_at(data),
            .out = detail::bytes_at(data),
            .bytes = detail::bytes_of(data)};
  }
  template <class Data, class Op>
  static detail::CollectiveCall reduction_call(detail::CollectiveKind kind, int root, Data& data,
                                               const Op& op) {
    detail::require_plain<Data>();
    auto* at = detail::elements_at(data);
    return detail::reduction(kind, root, at, at, detail::bytes_of(data) / sizeof *at, op);
  }
  template <class In, class Out>
  detail::CollectiveCall gather_call(int root, const In& in, Out& out) const {
    if (index() == root) check_room("gather", detail::bytes_of(out), detail::bytes_of(in));
    return {.kind = detail::CollectiveKind::kGather,
            .root = root,
            .in = detail::bytes_at(in),
            .out = detail::bytes_at(out),
            .bytes = detail::bytes_of(in)};
  }
  template <class In, class Out>
  detail::CollectiveCall allgather_call(const In& in, Out& out) const {
    check_room("allgather", detail::bytes_of(out), detail::bytes_of(in));
    return {.kind = detail::CollectiveKind::kAllgather,
            .in = detail::bytes_at(in),
            .out = detail::bytes_at(out),
            .bytes = detail::bytes_of(in)};
  }
  template <class In, class Out>
  detail::CollectiveCall scatter_call(int root, const In& in, Out& out) const {
    detail::require_plain<Out>();
    if (index() == root) check_room("scatter", detail::bytes_of(in), detail::bytes_of(out));
    return {.kind = detail::CollectiveKind::kScatter,
            .root = root,
            .in = detail::bytes_at(in),
            .out = detail::bytes_at(out),
            .bytes = detail::bytes_of(out),
            .count = static_cast<std::size_t>(size_)};
  }
  template <class In>
  static std::size_t elements_of(const In& in) {
    return detail::bytes_of(in) / sizeof(detail::Element<In>);
  }
  // Errors: Errc::bad_option unless `bytes` are size() parts of `part`.
  void check_room(const char* call, std::size_t bytes, std::size_t part) const;

  std::uint64_t id_ = 0;
  int size_ = 0;
  Thread maker_;
};

namespace this_thread {
// Load of the calling thread per step of its work, in units of the program's choice, for balancing
// in place of its measured running time: any finite number; what counts are the proportions of the
// members' loads. Negative: measure again. Errors: Errc::not_in_thread,
// Errc::bad_option (not a number).
void set_load(double load);
// Seconds that the calling thread has run, on this rank and others.
double running_time();
}  // namespace this_thread

}  // namespace roam

template <>
struct std::hash<roam::Team> {
  std::size_t operator()(roam::Team t) const noexcept { return std::hash<std::uint64_t>{}(t.id()); }
};

#include "roam/spawn_team.h"  // which needs Team

#endif  // ROAM_TEAM_H_
