#ifndef ROAM_ISOMALLOC_FREES_OF_OTHERS_H_
#define ROAM_ISOMALLOC_FREES_OF_OTHERS_H_

namespace roam::iso {

// True on the kernel thread that runs the rank's threads, whose frees are never held.
extern thread_local constinit bool frees_at_once [[gnu::tls_model("initial-exec")]];

// Kernel threads beside the rank's may free blocks of threads at any time, while those stand still
// too. While frees are held they wait, so that memory of threads stays as it is.
//
// Context: the rank's kernel thread. No free is under way when it returns, and none begins before
// it is called with false. Nothing that it does meanwhile may wait for another kernel thread of the
// program.
void hold_frees_of_others(bool hold);

// Around a free of a block of a thread's heap on another kernel thread than the rank's. Nests: what
// ends the program in the midst of one may free too.
class FreeOfOther {
 public:
  FreeOfOther();
  ~FreeOfOther();
  FreeOfOther(const FreeOfOther&) = delete;
  FreeOfOther& operator=(const FreeOfOther&) = delete;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_FREES_OF_OTHERS_H_
