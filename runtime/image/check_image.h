#ifndef ROAM_RUNTIME_IMAGE_CHECK_IMAGE_H_
#define ROAM_RUNTIME_IMAGE_CHECK_IMAGE_H_

#include <cstddef>

#include "runtime/image/image.h"

namespace roam::runtime {

// Whether what was read can be an image of this program's. Errors: false with corrupt_image, the
// value that is wrong and what it may be.

// The head, behind which there are `left` bytes: the lists that it announces fit in them.
bool check_head(const ImageHead& head, std::size_t left, ImageRefusal* refusal);
// The lists behind it: marks are whole units in the arena, the first is the thread's slot; runs lie
// in the marks, in their order, and bring each mark's control block or span head. What passes can
// be claimed and written to without touching an address outside of its marks.
bool check_lists(const ImageHead& head, const Image& image, ImageRefusal* refusal);
// The bytes, in their place: the control blocks and span heads are those of the marks. Whether the
// rest is what was written, only who stored it can tell.
bool check_bytes(const ImageHead& head, const Image& image, ImageRefusal* refusal);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_CHECK_IMAGE_H_
