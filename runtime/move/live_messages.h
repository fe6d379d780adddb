#ifndef ROAM_RUNTIME_MOVE_LIVE_MESSAGES_H_
#define ROAM_RUNTIME_MOVE_LIVE_MESSAGES_H_

#include <cstdint>
#include <vector>

#include "base/range.h"
#include "base/ranges.h"
#include "runtime/image/image.h"
#include "runtime/net/message.h"

namespace roam::runtime {

// `number`: the source's, for one live move; what is about an earlier one is passed over.

// kLiveBegin: pages of a thread would come while it runs.
struct LiveBeginHead {
  Kind kind;
  std::uint32_t number;
  std::uint64_t id;
  std::uint64_t bytes;  // of its heap
};

// kLiveReady: come, or why they are not wanted. kLiveLost: those that came had to be given back.
struct LiveWordHead {
  Kind kind;
  std::uint32_t number;
  char why[200];
};

// kLivePages: the ranges of whole pages follow; their bytes come by a bulk transfer.
struct LivePagesHead {
  Kind kind;
  std::uint32_t number;
  std::uint64_t ranges;
  std::uint64_t bytes;  // of all
};
inline constexpr int kLiveTag = 15;  // of the transfers, which come in the order of their heads

// kLiveTaken: those of the next kLivePages have come.
struct LiveTakenHead {
  Kind kind;
  std::uint32_t number;
  std::uint32_t dropped;  // 1: not all of them could be put in their place
};

// kLiveEnd: nothing comes of it; what came may go.
struct LiveEndHead {
  Kind kind;
  std::uint32_t number;
};

// kLiveThere: the thread stands still, and its image comes next. The ranges that follow are pages
// that the image has, that were sent, and that have not been written since.
struct LiveThereHead {
  Kind kind;
  std::uint32_t number;
  std::uint32_t transfer;  // of the image
  std::uint32_t ranges;
  std::uint32_t more;  // 1: another such message follows
};

// kLiveReport: what a live move did, ahead of the thread.
struct LiveReportHead {
  Kind kind;
  std::uint32_t live;  // 0: it was an ordinary one, and `why` says why
  std::uint64_t id;
  std::uint64_t bytes_running;
  std::uint64_t bytes_still;
  std::int64_t still_ns;  // so far
  std::uint32_t rounds;
  char why[200];
};

// What of an image's runs has to be sent, if the pages `there` are not: in order and apart.
inline std::vector<Range> fresh_of(const Image& image, const std::vector<Range>& there) {
  return without(joined(image.runs), there);
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_MOVE_LIVE_MESSAGES_H_
