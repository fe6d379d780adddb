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

// What rank 0 has all ranks do, one after the other. Each is answered, but kGo.
enum class CheckpointOrder : std::uint32_t {
  kCount = 1,  // threads stand still from now on: how many messages were there, is all quiet?
  kCheck,      // does anything forbid a checkpoint?
  kWrite,      // write your piece into the folder whose path follows
  kGo,         // threads go on
};

struct CheckpointOrderHead {
  Kind kind;
  CheckpointOrder order;
  std::uint32_t round;
  std::uint32_t padding;
  std::uint64_t number;  // of the checkpoint
};

// Text follows: why not, or of kWrite a PieceSummary.
struct CheckpointReplyHead {
  Kind kind;
  CheckpointOrder order;
  std::uint32_t round;
  std::uint32_t good;  // of kCount: quiet; of the others: done
  std::uint64_t sent;  // messages so far, and what passed inside nodes
  std::uint64_t received;
  std::uint64_t threads;
};

// How it went, to who asked; why not follows.
struct CheckpointDoneHead {
  Kind kind;
  Errc code;  // 0: it is made, and the job goes on
  Target asker;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_CHECKPOINT_MESSAGES_H_
