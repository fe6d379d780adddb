#ifndef ROAM_RUNTIME_TEAMS_PARCEL_H_
#define ROAM_RUNTIME_TEAMS_PARCEL_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/hook_list.h"
#include "roam/error.h"
#include "roam/request.h"
#include "runtime/net/inbox.h"
#include "runtime/net/message.h"

namespace roam::detail {

// Where a message comes from and goes to.
struct Envelope {
  std::uint64_t team = 0;
  std::int32_t to = 0, from = 0;  // members
  std::int32_t tag = 0;
  std::uint32_t sequence = 0;  // of the messages between the two, from 0
  std::uint64_t bytes = 0;
  std::int32_t origin = 0;    // rank that it was sent from
  std::int32_t forwards = 0;  // ranks that passed it on
  std::uint64_t sender = 0;   // thread that sent it
  std::uint8_t asks = 0;      // 1: the origin does not know the receiver yet, and wants to
  std::uint8_t counts = 0;    // 1: it takes room (room.h); 0: its bytes stay with their sender
  std::uint16_t note = 0;     // from its sender's layer to its receiver's, which is not looked at
  std::uint32_t unused = 0;
  std::uint64_t context = 0;  // receives of the same context match it; 0: those of roam/team.h
};

// The tag of messages that no receive takes.
inline constexpr std::int32_t kServedTag = INT32_MIN;

// The context of those of them that the runtime acts upon itself (TakeBackHead).
inline constexpr std::uint64_t kRuntimeContext = 0;

struct Member;

// Serves messages of a member that are not received, but acted upon as soon as their turn among
// those of their sender has come, on the rank where the member is, whatever its thread waits for.
// It lies in the thread's memory and travels with it.
//
// Context: the rank's kernel thread, on the stack of any thread or the rank's own; allocations go
// to the member's heap, whose thread does not run, or is sending. Does not suspend, and does not
// throw.
class MessageServer {
 public:
  // True: the member's thread looks again at what it waits for (runtime::wait_for_news).
  virtual bool serve(Member& me, const Envelope& envelope, const char* data) = 0;

 protected:
  ~MessageServer() = default;
};

// Names who sends to whom; both sides know it from the start.
inline std::uint64_t pair_of(const Envelope& e) {
  const auto from = static_cast<std::uint32_t>(e.from), to = static_cast<std::uint32_t>(e.to);
  return e.team * 0x9e3779b97f4a7c15 + (std::uint64_t{from} << 32 | to);
}

// A send, receive, probe or collective that a member started. It lies in the member's memory, on
// its stack while it waits in the call.
struct RequestState {
  enum class Kind : std::uint8_t { kSend, kReceive, kProbe, kCollective, kMany };
  Kind kind = Kind::kSend;
  bool done = false;
  bool pins = false;  // its room is the process's: the member stays until it is done
  Errc error{};       // 0: as it should be
  std::uint64_t owner =
      0;            // id of the thread that has the request; 0: it is on that thread's stack
  int from = kAny;  // what a receive or probe asked for; then what it got
  int tag = kAny;
  int forwards = 0;
  std::uint64_t context = 0;   // as Envelope has it
  std::uint32_t sequence = 0;  // of what a receive or probe got
  std::uint16_t note = 0;      // the same
  // A message that is longer than the room ends the receive all the same, and is given up.
  bool takes_longer = false;
  void* data = nullptr;   // a receive's room
  std::size_t bytes = 0;  // of the room; then of what came
  std::size_t room = 0;   // of a receive, as it was asked for
  std::size_t element_bytes = 1;
  RequestState* next = nullptr;     // of the posted receives, or of the unfinished sends
  struct Parcel* parcel = nullptr;  // of a send that is not finished
  std::uint32_t verdict = 0;        // of a collective: see rider.h
  RequestState* parts = nullptr;    // of kMany
  std::size_t part_count = 0;

  // Why a receive cannot take a message; 0: it can.
  Errc refusal(const Envelope& e) const {
    if (e.bytes > bytes) return takes_longer ? Errc{} : Errc::message_too_long;
    return e.bytes % element_bytes == 0 ? Errc{} : Errc::bad_option;
  }
  // What a receive or probe got, or was refused.
  void got(const Envelope& e) {
    from = e.from;
    tag = e.tag;
    bytes = e.bytes;
    forwards = e.forwards;
    sequence = e.sequence;
    note = e.note;
  }
};

// A message inside a node, or one that waits for its receiver. It lies in the shared memory of a
// node, so that passing it on is passing its address.
struct Parcel : runtime::Mail {
  // Where the bytes are.
  enum class Place : std::uint8_t {
    kInside,  // behind the parcel
    kOpen,    // in memory of this node that `state` protects: the sender's, or a copy
    kFar,     // at `original`, a kOpen parcel of rank `origin`
  };
  // Of a kOpen parcel: who may touch the bytes. A receiver takes it to copy them; the sender takes
  // it to put a copy of its own in place of its memory.
  enum State : std::uint32_t { kOffered = 0, kTaken, kMoving, kDone };

  Envelope envelope;
  Place place = Place::kInside;
  std::uint8_t size =
      0;                // class of what fits inside, from 1; 0: made to measure, and not used again
  bool copied = false;  // kOpen: `data` is a copy, which goes with the parcel
  bool tallied = false;  // the copy is counted at the origin: see CopyCount
  bool receipt = false;  // it goes back to its origin: the bytes have been received
  std::atomic<std::uint32_t> state{kOffered};
  const void* data = nullptr;  // kInside, kOpen
  Parcel* original = nullptr;  // kFar
  runtime::Target receiver{};  // if it is known
  runtime::Target sender{};    // of kOpen: whose request it is
  RequestState* request = nullptr;
  KeptHook among_all;    // unexpected ones ...
  KeptHook among_peers;  // ... and those from one member

  // In an inbox, or among those that came early: all of them are parcels.
  Parcel* next_parcel() const { return static_cast<Parcel*>(next); }
  void* inside() { return this + 1; }

  // Of the first size class; each next is twice as large.
  static constexpr std::size_t kLeastRoomBytes = 128;
  static constexpr std::size_t kSizes = 7;
  static constexpr std::size_t room_bytes(std::size_t size) {
    return kLeastRoomBytes << (size - 1);
  }
  // The smallest class for so many bytes; kSizes + 1: none is large enough.
  static constexpr std::size_t size_for(std::size_t bytes) {
    const std::size_t size =
        std::bit_width((std::max(bytes, std::size_t{1}) - 1) / kLeastRoomBytes);
    return std::min(size, kSizes) + 1;
  }
};
static_assert(Parcel::size_for(0) == 1 && Parcel::size_for(128) == 1 && Parcel::size_for(129) == 2);
static_assert(Parcel::size_for(8192) == Parcel::kSizes && Parcel::size_for(8193) > Parcel::kSizes);

}  // namespace roam::detail

#endif  // ROAM_RUNTIME_TEAMS_PARCEL_H_
