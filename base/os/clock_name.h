#ifndef ROAM_BASE_OS_CLOCK_NAME_H_
#define ROAM_BASE_OS_CLOCK_NAME_H_

#include <string>

namespace roam::os {

// Names the clock that now_ns() reads: equal in processes that read the same one, which are those
// of one boot of one machine and one time namespace.
std::string clock_name();

}  // namespace roam::os

#endif  // ROAM_BASE_OS_CLOCK_NAME_H_
