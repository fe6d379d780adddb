#ifndef ROAM_RUNTIME_IMAGE_LANDING_H_
#define ROAM_RUNTIME_IMAGE_LANDING_H_

#include <string>

#include "roam/error.h"
#include "runtime/image/image.h"

namespace roam::runtime {

// Opens and claims the address ranges of an image, and makes memory for its bytes, which may then
// be put in place. `returns`: this rank had kept the thread's slot. Errors: false with a code and
// why; nothing has changed.
bool claim(const Image& image, bool* returns, Errc* code, std::string* why);
// All bytes are in place: marks what lives here now. `cold`: of an ended thread, whose stack did
// not travel.
void land(const Image& image, int rank, bool cold);
// The image goes nowhere: what it names lives here again.
void take_back(const Image& image);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_LANDING_H_
