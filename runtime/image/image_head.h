#ifndef ROAM_RUNTIME_IMAGE_IMAGE_HEAD_H_
#define ROAM_RUNTIME_IMAGE_IMAGE_HEAD_H_

#include <cstdint>
#include <string>

#include "roam/error.h"
#include "threads/tcb.h"

namespace roam::runtime {

// Of the layout of an image's head and lists. A number is never used again. What the bytes are
// (control block, heap) is the program's: the one that reads an image is the one that wrote it.
inline constexpr std::uint32_t kImageVersion = 1;

enum class ImageOf : std::uint32_t {
  kThread = 1,   // that is suspended
  kRemains = 2,  // what an ended thread left: no stack
};

// What an image begins with, on the wire and in a file; docs/image.md has it byte by byte.
struct ImageHead {
  std::uint32_t version;  // comes first in every version
  ImageOf what;
  std::uint32_t marks;  // how many
  std::uint32_t runs;
  std::uint64_t id;
  detail::Tcb* control;
  std::uint64_t bytes;         // of all runs
  std::int64_t sleep_left_ns;  // of a thread that sleeps; -1: it does not
};

// Why an image cannot be taken.
struct ImageRefusal {
  Errc code{};
  std::string why;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_IMAGE_HEAD_H_
