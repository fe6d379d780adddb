#ifndef ROAM_RUNTIME_IMAGE_PIECES_H_
#define ROAM_RUNTIME_IMAGE_PIECES_H_

#include <cstddef>
#include <vector>

#include "base/range.h"
#include "runtime/image/staging.h"

namespace roam::runtime {

// Shorter runs are gathered and go together: a message or a system call costs more than copying so
// much.
inline constexpr std::size_t kGatherBytes = 32 << 10;

// The runs of an image in pieces that are worth a transfer each; who writes and who reads make the
// same ones of the same list. Calls `direct(run)` for long runs and `gathered(runs, bytes)` for
// groups of short ones, which fit into one staging buffer.
template <class Direct, class Gathered>
void for_each_piece(const std::vector<Range>& runs, Direct direct, Gathered gathered) {
  std::vector<Range> few;
  std::size_t bytes = 0;
  const auto flush = [&] {
    if (!few.empty()) gathered(few, bytes);
    few.clear();
    bytes = 0;
  };
  for (const Range& run : runs) {
    if (run.bytes >= kGatherBytes) {
      direct(run);
      continue;
    }
    if (bytes + run.bytes > Staging::kMostBytes) flush();
    few.push_back(run);
    bytes += run.bytes;
  }
  flush();
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_PIECES_H_
