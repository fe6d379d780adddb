#include "runtime/job/guards.h"

#include <cstdint>

#include "base/check.h"
#include "base/os/memory.h"
#include "base/text.h"

namespace roam::runtime {

void tell_of_missing_guards(Mpi& mpi) {
  const os::Guards mine = os::guards();
  const std::uint64_t without = mpi.sum(mine == os::Guards::kNone ? 1 : 0);
  const std::uint64_t few = mpi.sum(mine == os::Guards::kByMprotect ? 1 : 0);
  if (mpi.rank() != 0) return;
  const unsigned long long ranks = static_cast<unsigned long long>(mpi.ranks());
  if (without != 0) {
    report(
        text("%llu of %llu ranks have no guards (ROAM_GUARDS=none): a stack overflow there, or a "
             "pointer to what was freed or has left the node, is not noticed, and data may be "
             "wrong without a word",
             static_cast<unsigned long long>(without), ranks)
            .c_str());
  } else if (few != 0) {
    report(text("%llu of %llu ranks have guards by mprotect (MADV_GUARD_INSTALL came with Linux "
                "6.15): at most %d stacks a rank have one, and an overflow of another is not "
                "noticed; what has left a node may be read there as it was, or as zeros",
                static_cast<unsigned long long>(few), ranks, os::kMprotectGuards)
               .c_str());
  }
}

}  // namespace roam::runtime
