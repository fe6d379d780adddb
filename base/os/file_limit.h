#ifndef ROAM_BASE_OS_FILE_LIMIT_H_
#define ROAM_BASE_OS_FILE_LIMIT_H_

namespace roam::os {

// From now on this process may have as many descriptors as the kernel lets it. False: it could
// already, or the limit cannot be changed.
bool allow_many_files();

}  // namespace roam::os

#endif  // ROAM_BASE_OS_FILE_LIMIT_H_
