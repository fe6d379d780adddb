#ifndef ROAM_THREADS_ERRANDS_H_
#define ROAM_THREADS_ERRANDS_H_

#include <atomic>

#include "isomalloc/turns.h"

// The rank's side of roam/errand.h: a lock-free list of what kernel threads of the program ask for.
namespace roam::threads {

struct Errand;
// Newest first. kClosed: none are taken.
extern std::atomic<Errand*> errands;
extern Errand* const kClosed;

// One load: the scheduler looks whenever the rank's own stack runs.
inline bool errands_wait() {
  Errand* newest = errands.load(std::memory_order_seq_cst);
  return newest != nullptr && newest != kClosed;
}

// Context of these: the rank's own stack, the capture off.
//
// While one lives, errands are taken. Then those that wait are refused, and all that come; turns
// (isomalloc/turns.h) are as they were before.
class OpenForErrands {
 public:
  OpenForErrands();
  ~OpenForErrands();
  OpenForErrands(const OpenForErrands&) = delete;
  OpenForErrands& operator=(const OpenForErrands&) = delete;

 private:
  iso::Turns turns_before_;
};
// Does those that wait, oldest first.
void do_errands();

// Called after an errand was left, by who left it: to end the rank's sleep.
extern void (*wake_rank)();
// What detail::memory_is_known says; null: false.
extern bool (*outsiders_memory_is_known)();
// How many kernel threads of the program wait for what lies in memory of a thread of this rank:
// such a thread is tied by who is in no checkpoint.
extern std::atomic<int> waits_from_outside;

}  // namespace roam::threads

#endif  // ROAM_THREADS_ERRANDS_H_
