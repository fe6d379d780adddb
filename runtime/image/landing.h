#ifndef ROAM_RUNTIME_IMAGE_LANDING_H_
#define ROAM_RUNTIME_IMAGE_LANDING_H_

#include "runtime/image/image.h"

namespace roam::runtime {

// Opens and claims the address ranges of an image that has passed check_lists(), and makes memory
// for its bytes, which may then be put in place. `returns`: this rank had kept the thread's slot.
// `fresh`: the bytes that still come, in order and apart; the others are in kept memory here, and
// stay as they are. Null: all come.
// Errors: false with a code and why; nothing of the image is here.
bool claim(const Image& image, bool* returns, ImageRefusal* refusal,
           const std::vector<Range>* fresh = nullptr);
// What was claimed is not to be here after all: its bytes cannot be had.
void give_up(const Image& image);
// All bytes are in place: marks what lives here now, and says so in the control block, which it
// returns. It is not queued yet.
detail::Tcb* land(const ImageHead& head, const Image& image, int rank);
// The image goes nowhere: what it names lives here again.
void take_back(const Image& image);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_LANDING_H_
