#ifndef ROAM_ISOMALLOC_FILE_COVER_H_
#define ROAM_ISOMALLOC_FILE_COVER_H_

#include <cstddef>

#include "base/range.h"

// Pages of a file in a thread's memory, for code that has to lie at a fixed distance from data
// which travels. They are this process's only: a thread that leaves its rank takes its covers off
// first, and lays them again where it arrives. What lies below is no memory that anybody uses: it
// reads as it was, or as zeros, when the cover is off, and does not travel if it was never written.
namespace roam::iso {

// Lays pages of the file `fd`, from `offset` on, over `range`: readable and executable.
//
// REQUIRES: whole pages of one live large block of the calling rank's arena.
// Errors:   false with errno, nothing changed. ENOMEM: the process has all the mappings that
//           vm.max_map_count allows; each cover is up to two.
bool cover(Range range, int fd, std::size_t offset);
// REQUIRES: `range` is what was covered.
void uncover(Range range);

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_FILE_COVER_H_
