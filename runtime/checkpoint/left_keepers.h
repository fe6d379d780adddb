#ifndef ROAM_RUNTIME_CHECKPOINT_LEFT_KEEPERS_H_
#define ROAM_RUNTIME_CHECKPOINT_LEFT_KEEPERS_H_

#include <memory>
#include <string>
#include <vector>

#include "runtime/keeper/keeper_client.h"

namespace roam::runtime {

// Keepers that have a checkpoint of a job whose roam::run has ended. What main does after that may
// still be killed, and then the job goes on from what they have: so they are told that it has ended
// well at the end of the process.
struct LeftKeepers {
  std::vector<std::shared_ptr<KeeperClient>> clients;  // until then they hold what they have
  std::vector<std::string> names;                      // of all
  bool tells_all = false;  // this rank tells all that are called so on this machine
  bool near = false;       // it is on the node of rank 0, whose last rank notes that they have
                           // nothing, in the folder
  bool notes = false;      // it notes that, if nobody needs them
};

// Context: the process's, the malloc family not captured.
void leave_at_exit(LeftKeepers left);

// In the last of exit handlers, when the end has been recorded. Nothing happens in a child of fork,
// nor where a handler of a signal calls exit: the job may be about to be killed.
void leave_now();

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_LEFT_KEEPERS_H_
