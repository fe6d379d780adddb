#ifndef ROAM_RUNTIME_CHECKPOINT_OWNER_H_
#define ROAM_RUNTIME_CHECKPOINT_OWNER_H_

#include <sys/types.h>

#include <string>

namespace roam::runtime {

// Whether user `reader` may go by a checkpoint's file that belongs to `owner`: a checkpoint is as
// good as a program, and runs as who reads it. `of_others`: the user has said so. Else false, and
// `why`, behind the file's name, has the cure.
bool may_be_read(uid_t owner, uid_t reader, bool of_others, std::string* why);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_OWNER_H_
