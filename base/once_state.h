#ifndef ROAM_BASE_ONCE_STATE_H_
#define ROAM_BASE_ONCE_STATE_H_

namespace roam {

// What a pthread_once_t says while its function runs, and when that has been run, of which the
// second is a bit: glibc's, or those of ThreadSanitizer, which has a pthread_once of its own.
#ifdef ROAM_TSAN
inline constexpr int kOnceBegun = 1 << 16, kOnceMade = 1;
#else
inline constexpr int kOnceBegun = 1, kOnceMade = 2;
#endif

}  // namespace roam

#endif  // ROAM_BASE_ONCE_STATE_H_
