#ifndef ROAM_ISOMALLOC_EXCEPTIONS_H_
#define ROAM_ISOMALLOC_EXCEPTIONS_H_

#include <exception>

namespace roam::iso {

// Whether the exception lies in memory of the process, so that it has a meaning on this rank only.
// False of none.
bool of_process(const std::exception_ptr& error);

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_EXCEPTIONS_H_
