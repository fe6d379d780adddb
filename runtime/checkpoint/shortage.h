#ifndef ROAM_RUNTIME_CHECKPOINT_SHORTAGE_H_
#define ROAM_RUNTIME_CHECKPOINT_SHORTAGE_H_

#include <cerrno>

namespace roam::runtime {

// Whether a call that failed with `error` lacked memory, a descriptor or an answer in time: the
// file that it was about may be whole. EIO is none of them: a disk says so of a bad sector, for
// ever.
inline bool is_shortage(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EFAULT:  // there is no memory for what is read
    case ESTALE:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_SHORTAGE_H_
