#ifndef ROAM_RUNTIME_MOVE_DEPARTURE_H_
#define ROAM_RUNTIME_MOVE_DEPARTURE_H_

namespace roam::runtime {

// Whether a thread that wants to leave its rank can: kWait, memory of it is in use just now;
// kNoMemory, there is none for copies of what cannot go with it.
enum class Departure { kGo, kWait, kNoMemory };

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_MOVE_DEPARTURE_H_
