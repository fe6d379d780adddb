#ifndef ROAM_RUNTIME_WIRE_H_
#define ROAM_RUNTIME_WIRE_H_

#include <cstdint>
#include <cstring>

#include "base/range.h"
#include "roam/error.h"
#include "runtime/trace/progress.h"
#include "threads/tcb.h"

// What ranks say to each other. Every message begins with its kind; fields are this machine's own
// layout, since all ranks run the same binary. Messages between two ranks arrive in order.
namespace roam::runtime {

using detail::Tcb;

enum class Kind : std::uint32_t {
  kImage = 1,    // ImageHead, marks, runs, bytes: a small thread, whole
  kOffer,        // ImageHead, then as many marks and runs as fit: a large thread wants to come
  kOfferMore,    // MoreHead, marks and runs that did not fit
  kAccept,       // TransferHead: send the bytes now
  kRefuse,       // RefusalHead: the thread stays with you
  kTaken,        // TransferHead: the thread is here; its memory there is yours to keep or drop
  kLocated,      // LocatedHead, to the home rank
  kEnded,        // EndedHead, to the home rank
  kJoin,         // JoinHead: tell the joiner when the thread ends
  kJoined,       // JoinedHead, to the joiner's rank
  kMove,         // MoveHead: the thread shall go to a rank
  kMoved,        // MovedHead: how that went, to who asked
  kLeaseAsk,     // LeaseHead, to rank 0
  kLeaseGrant,   // LeaseHead; count 0: there is none
  kRangeAsk,     // RangeAskHead: have you free ranges for me?
  kRangeGift,    // RangeGiftHead and ranges: they are yours now
  kClaim,        // ClaimHead: is this range free with you?
  kClaimReply,   // ClaimHead
  kLetter,       // LetterHead and its bytes: a message to a member of a team
  kLetterOffer,  // LetterHead: a long one, whose bytes wait at its origin
  kPull,         // PullHead, to the origin: send them now
  kReceipt,      // ReceiptHead, to the sender's rank: they have been received
  kMemberAt,     // MemberAtHead, to an origin: where a member is
  kTeamReport,   // TeamHead, to the keeper above: the members of some ranks are made, or not
  kTeamStart,    // TeamHead, to the keepers below: members begin, or are given up
  kTeamEnd,      // TeamHead, to all ranks: the team has ended
  kGather,       // GatherHead and data: parts of a collective, towards its root
  kSpread,       // GatherHead and data: its result, from the root
  kLateResult,   // LateResultHead and data: the same, to a member that has moved
  kFragment,  // FragmentHead and bytes: a piece of a message that is longer than a message may be
  kProgress,  // ProgressHead, to rank 0
  kDiffuse,   // Diffuser::Head: balancing without a table, see diffuser.h
  kRoom,      // RoomHead, to a sender's rank: its receiver has room again
};

// A thread, as the public handle has it.
struct Target {
  std::uint64_t id;
  Tcb* control;
};

// An address range that becomes live where the image arrives.
struct Mark {
  Range range;
  std::uint32_t kind;  // MarkKind
  std::uint32_t padding;
};
enum MarkKind : std::uint32_t { kSlotMark = 1, kCompanionMark, kSpanMark, kLargeMark };

struct ImageHead {
  Kind kind;
  std::uint32_t transfer;  // the sender's number for this move
  std::uint64_t id;
  Tcb* control;
  std::uint64_t bytes;         // of all runs
  std::int64_t sleep_left_ns;  // of a sleeping thread; -1: it does not sleep
  std::uint64_t joiner;        // not 0: an ended thread's remains for the joiner of this id ...
  Tcb* joiner_control;
  std::uint32_t marks;
  std::uint32_t runs;
  std::uint32_t answers;   // 1: `answered` was taken, as kTaken would say
  std::uint32_t answered;  // a transfer from the target to the source
  bool returns;            // filled in by the target: it had kept the memory
};

struct MoreHead {
  Kind kind;
  std::uint32_t transfer;
};

struct TransferHead {
  Kind kind;
  std::uint32_t transfer;
};

struct RefusalHead {
  Kind kind;
  std::uint32_t transfer;
  Errc code;
  char why[200];
};

struct LocatedHead {
  Kind kind;
  std::uint64_t hops;
  std::uint64_t id;
  std::int32_t rank;
};

struct EndedHead {
  Kind kind;
  std::uint32_t remains;  // its exception or memory waits on `rank` for who joins; 0: nothing does,
                          // or not any more
  std::uint64_t id;
  std::int32_t rank;
};

struct JoinHead {
  Kind kind;
  std::int32_t joiner_rank;
  Target target;
  Target joiner;
  std::uint32_t at_remains;  // sent on by the home rank to where the remains wait
};

struct JoinedHead {
  Kind kind;
  Errc code;  // 0: ended; else what join throws
  Target joiner;
  Tcb* remains;  // on the same node: the ended thread, whose memory and exception go to the joiner
  char why[200];
};

struct MoveHead {
  Kind kind;
  std::int32_t to;
  Target target;
  Target asker;
  std::int32_t asker_rank;
};

struct MovedHead {
  Kind kind;
  Errc code;  // 0: noted
  Target asker;
  char why[200];
};

struct LeaseHead {
  Kind kind;
  std::int32_t region;
  std::uint64_t request;  // odd: the asker waits for it
  std::uint64_t first;
  std::uint64_t count;
};

// How much a rank that asks for ranges needs them.
enum class Need : std::uint32_t {
  kSoon,  // it runs low: what can be spared
  kNow,   // it waits for one of `bytes`
  kAll,   // the same, and nobody has one: pieces may grow together
  kTidy,  // nobody asked: pieces go where their neighbours go
};

struct RangeAskHead {
  Kind kind;
  std::int32_t region;
  Need need;
  std::uint32_t padding;
  std::uint64_t bytes;
};

struct RangeGiftHead {
  Kind kind;
  std::int32_t region;
  Need need;                 // as asked
  std::uint32_t count;       // of the ranges behind this head
  std::uint64_t more;        // kAll: ask again
  std::uint64_t free_bytes;  // that the giver still has
  // How many messages with addresses the giver has sent, this one too, and received so far.
  std::uint64_t sent;
  std::uint64_t received;
};

struct ClaimHead {
  Kind kind;
  std::uint32_t given;
  Range range;
  std::uint64_t sent;  // of a reply, as above
  std::uint64_t received;
};

struct ProgressHead {
  Kind kind;
  std::int32_t rank;
  RankCounts counts;
};

struct PullHead {
  Kind kind;
  std::int32_t tag;
  void* original;  // a Parcel of the rank that gets this
};

struct ReceiptHead {
  Kind kind;
  std::uint32_t padding;
  Target sender;
  void* parcel;  // an open one of the sender's request; freed with it
};

struct MemberAtHead {
  Kind kind;
  std::int32_t rank;
  std::uint64_t team;
  Target target;
  std::int32_t index;
  std::uint64_t hops;
};

struct RoomHead {
  Kind kind;
  std::int32_t sender;  // members
  std::int32_t receiver;
  std::uint32_t padding;
  Target target;  // the sender, if it is known
  std::uint64_t team;
  std::uint64_t bytes;
};

struct TeamHead {
  Kind kind;
  std::uint32_t good;
  std::uint64_t team;
};

// The head that a message begins with; messages have no alignment.
template <class Head>
Head read(const char* message) {
  Head head;
  std::memcpy(&head, message, sizeof head);
  return head;
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_WIRE_H_
