#ifndef ROAM_RUNTIME_CHECKPOINT_CHECKPOINT_MESSAGES_H_
#define ROAM_RUNTIME_CHECKPOINT_CHECKPOINT_MESSAGES_H_

#include <cstdint>

#include "roam/error.h"
#include "runtime/net/message.h"

namespace roam::runtime {

// A thread wants a checkpoint: the path of its folder follows.
struct CheckpointAskHead {
  Kind kind;
  std::int32_t asker_rank;
  Target asker;
};

// What rank 0 has all ranks do, one after the other. Each is answered, but kGo. Numbers are never
// used again; 3 was one.
enum class CheckpointOrder : std::uint32_t {
  kCount = 1,  // threads stand still from now on: how many messages were there, is all quiet?
  kCheck = 2,  // does anything forbid a checkpoint?
  kWrite = 4,  // begin your piece: memory may change afterwards. The folder's path follows, and,
               // where keepers get it, their name, and that of those who are not needed any more
  kGo = 5,     // threads go on
  kWritten,    // of a reply only: the piece is there
  kCommit,     // the checkpoint in memory is complete: its manifest follows, to the first rank of
               // each node
  kSettle,     // it is so for all keepers, which drop what is older
  kHooks,      // of the program: run them, if some rank has any, and count as for kCount; nothing
               // but what they had begun, and kWrite, changes memory afterwards
  kFree,       // all keepers have dropped what is older: it is the ranks' own again
  kLeave,      // none is made in memory any more: what keepers have stays as it is
  kForget,     // and is of no use now
};

// Where a checkpoint is made: one of these, or both.
enum class CheckpointTargets : std::uint32_t { kNone, kDisk, kMemory, kBoth };
inline CheckpointTargets operator|(CheckpointTargets a, CheckpointTargets b) {
  return static_cast<CheckpointTargets>(static_cast<std::uint32_t>(a) |
                                        static_cast<std::uint32_t>(b));
}
inline bool has(CheckpointTargets all, CheckpointTargets one) {
  return (static_cast<std::uint32_t>(all) & static_cast<std::uint32_t>(one)) ==
         static_cast<std::uint32_t>(one);
}

// What a rank finds whose threads stand still.
enum class CheckpointFound : std::uint32_t {
  kNothing,
  kObstacle,  // to a checkpoint: the text says which
  kHooks,     // of the program: they are to run before anything is written. Without them no kernel
              // thread of the program frees anything of threads from now on
  kUnderWay,  // of kHooks: something that they have begun
};

// Of kCount: whoever is quiet says what it has found.
enum class CheckpointLooks : std::uint32_t {
  kNot,
  kFirst,       // as CheckpointFound
  kAfterHooks,  // the same, and hooks have run
};

struct CheckpointOrderHead {
  Kind kind;
  CheckpointOrder order;
  std::uint32_t round;
  CheckpointTargets targets;
  std::uint64_t number;  // of the checkpoint
  std::uint64_t base;    // the one that it may build on; 0: none
  std::uint32_t watch;   // pages are watched from this one on, or on
  CheckpointLooks looks;
};

// Text follows: why not, or of kWritten a PieceSummary.
struct CheckpointReplyHead {
  Kind kind;
  CheckpointOrder order;
  std::uint32_t round;
  std::uint32_t good;        // of kCount: quiet; of the others: done
  CheckpointTargets failed;  // where it could not be written. Of kWritten that is good: kNone, or
                             // kDisk, and it is in memory
  CheckpointFound found;     // of kCount that looks, and of kHooks
  std::uint64_t sent;        // messages so far, and what passed inside nodes
  std::uint64_t received;
  std::uint64_t threads;
  std::uint64_t bytes;   // of kWrite: of all its pages
  std::uint64_t copied;  // and of those that the piece has itself
};
inline CheckpointReplyHead reply_to(CheckpointOrder order, std::uint32_t round) {
  CheckpointReplyHead head{};
  head.kind = Kind::kCheckpointReply;
  head.order = order;
  head.round = round;
  return head;
}

// The sender changes nothing more of what threads of its node have. Ranges of pages follow, 16
// bytes each, that it has written since the last time.
struct CheckpointPagesHead {
  Kind kind;
  std::uint32_t round;
  std::uint32_t known;  // 0: it does not know, or that was not for the base of this one
  std::uint32_t padding;
};

// A part of the sender's piece, for the keeper of another node; its bytes follow. The last has none
// of the piece, but its PieceSummary.
struct CheckpointCopyHead {
  Kind kind;
  std::uint32_t last;
  std::uint64_t number;  // of the checkpoint
  std::uint64_t bytes;   // of the piece
  std::uint64_t offset;  // of these in it
  std::uint64_t base;    // the checkpoint that it builds on, which keepers have; 0: none
};
// It is kept; or why not follows.
struct CheckpointCopiedHead {
  Kind kind;
  std::uint32_t good;
  std::uint64_t number;
};

// How it went, to who asked; why not follows.
struct CheckpointDoneHead {
  Kind kind;
  Errc code;  // 0: it is made, and the job goes on
  Target asker;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_CHECKPOINT_MESSAGES_H_
