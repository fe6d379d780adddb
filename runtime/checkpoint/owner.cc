#include "runtime/checkpoint/owner.h"

#include "base/text.h"

namespace roam::runtime {

bool may_be_read(uid_t owner, uid_t reader, bool of_others, std::string* why) {
  if (of_others || owner == reader) return true;
  *why = text(
      "it belongs to user %u, and this is user %u; ROAM_RESTART=DIR,of=others, or --of-others of a "
      "tool, says that it may be used",
      owner, reader);
  return false;
}

}  // namespace roam::runtime
