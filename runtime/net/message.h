#ifndef ROAM_RUNTIME_NET_MESSAGE_H_
#define ROAM_RUNTIME_NET_MESSAGE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "threads/tcb.h"

// What ranks say to each other. Every message begins with its kind, but for those of Mpi::send_now;
// fields are this machine's own layout, since all ranks run the same binary. Messages between two
// ranks arrive in order. docs/wire.md has each of them, byte by byte.
namespace roam::runtime {

using detail::Tcb;

// Each kind belongs to one Component, in whose folder the struct of its head is. A number is never
// used again: a new kind takes the next one.
enum class Kind : std::uint32_t {
  // move/migrator.h
  // 1, 2, 3: images without a version
  kImage = 34,       // CarryHead and an image: a small thread, whole
  kOffer = 35,       // OfferHead, then as much of the image's lists as fits: a large one would come
  kOfferMore = 36,   // MoreHead, and more of them
  kAccept = 4,       // TransferHead: send the bytes now
  kRefuse = 5,       // RefusalHead: the thread stays with you
  kTaken = 6,        // TransferHead: the thread is here; its memory there is yours to keep or drop
  kAcceptRest = 58,  // TransferHead: send now what was not sent ahead
  // move/live_messages.h
  kLiveBegin = 50,   // LiveBeginHead: pages of a thread would come ahead of it
  kLiveReady = 51,   // LiveWordHead: come, or why not
  kLivePages = 52,   // LivePagesHead, ranges and their bytes
  kLiveTaken = 53,   // LiveTakenHead: so many bytes of them have come
  kLiveThere = 54,   // LiveThereHead and ranges: what of the image that comes next was sent ahead
  kLiveEnd = 55,     // LiveEndHead: they are of no use
  kLiveLost = 56,    // LiveWordHead: they had to be given back
  kLiveReport = 57,  // LiveReportHead: what the thread that comes next has to say of its move
  // place/locator.h
  kLocated = 7,  // LocatedHead, to the home rank
  kHome = 37,    // HomeHead and a directory, to the rank that is the home now
  // life/lifecycle.h
  kEnded = 8,    // EndedHead, to the home rank
  kJoin = 9,     // JoinHead: tell the joiner when the thread ends
  kJoined = 10,  // JoinedHead, to the joiner's rank
  kUntie = 48,   // UntieHead, to the rank of a thread that is tied: one tie has ended
  // move/mover.h
  kMove = 11,   // MoveHead: the thread shall go to a rank
  kMoved = 12,  // MovedHead: how that went, to who asked
  // move/lease_broker.h
  kLeaseAsk = 13,     // LeaseHead, to rank 0
  kLeaseGrant = 14,   // LeaseHead; count 0: there is none
  kRangeAsk = 15,     // RangeAskHead: have you free ranges for me?
  kRangeGift = 16,    // RangeGiftHead and ranges: they are yours now
  kObtain = 17,       // ObtainHead: is this range free with you?
  kObtainReply = 18,  // ObtainHead
  // teams/letter.h
  kLetter = 19,       // LetterHead and its bytes: a message to a member of a team, passed on
  kDirect = 49,       // DirectHead and its bytes: the same, from the rank where its sender is
  kLetterOffer = 20,  // LetterHead: a long one, whose bytes wait at its origin
  // teams/open_parcels.h
  kPull = 21,     // PullHead, to the origin: send them now
  kReceipt = 22,  // ReceiptHead, to the sender's rank: they have been received
  // teams/whereabouts.h
  kMemberAt = 23,     // MemberAtHead, to an origin: where a member is
  kMembersHome = 38,  // MembersHomeHead and Targets, to the rank that is the home now
  // teams/flow_control.h
  kRoom = 33,  // RoomHead, to a sender's rank: its receiver has room again
  // teams/teams.h
  kTeamReport = 24,  // TeamHead, to the maker above: the members of some ranks are made, or not
  kTeamStart = 25,   // TeamHead, to the makers below: members begin, or are given up
  kTeamEnd = 26,     // TeamHead, to all ranks: the team has ended
  // teams/parts.h
  kGather = 27,  // GatherHead and data: parts of a collective, towards its root
  kSpread = 28,  // GatherHead and data: its result, from the root
  // teams/gathering.h
  kLateResult = 29,  // LateResultHead and data: the same, to a member that has moved
  kTeamKnown = 39,   // TeamKnownHead, to all ranks: a team of a checkpoint
  kGathered = 40,    // GatheredHead and data, to a root: a collective of a checkpoint under way
  // net/net.h
  kFragment = 30,  // FragmentHead and bytes: a piece of a message longer than one may be
  // trace/observer.h
  kProgress = 31,  // ProgressHead, to rank 0
  // balancing/diffuse_messages.h
  kDiffuse = 32,  // DiffuseHead and what its stage says: balancing without a table
  // checkpoint/checkpoint_messages.h
  kCheckpointAsk = 41,     // CheckpointAskHead and a path, to rank 0
  kCheckpointOrder = 42,   // CheckpointOrderHead and text, from rank 0
  kCheckpointReply = 43,   // CheckpointReplyHead and text, to rank 0
  kCheckpointDone = 44,    // CheckpointDoneHead and text, to who asked
  kCheckpointPages = 45,   // CheckpointPagesHead and ranges, to the ranks of the node
  kCheckpointCopy = 46,    // CheckpointCopyHead and a part of a piece, to a rank of the buddy
  kCheckpointCopied = 47,  // CheckpointCopiedHead and text, back
};
// One more than the largest.
constexpr std::size_t kKinds = 59;

// A thread, as the public handle has it.
struct Target {
  std::uint64_t id;
  Tcb* control;
};

// The head that a message begins with; messages have no alignment.
template <class Head>
Head read(const char* message) {
  Head head;
  std::memcpy(&head, message, sizeof head);
  return head;
}

// Into a text of a message, cut to its room.
template <std::size_t N>
void copy_text(char (&to)[N], const char* from) {
  const std::size_t length = strnlen(from, N - 1);
  std::memcpy(to, from, length);
  to[length] = '\0';
}

// Of a head that ends with such a text, `why`: as much as is sent, to the text's end.
template <class Head>
std::size_t bytes_to_why(const Head& head) {
  return static_cast<std::size_t>(head.why - reinterpret_cast<const char*>(&head)) +
         std::strlen(head.why) + 1;
}
template <class Head>
Head read_to_why(const char* message, std::size_t bytes) {
  Head head{};
  std::memcpy(&head, message, std::min(bytes, sizeof head));
  return head;
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_MESSAGE_H_
