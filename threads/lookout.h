#ifndef ROAM_THREADS_LOOKOUT_H_
#define ROAM_THREADS_LOOKOUT_H_

#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "threads/scheduler.h"

namespace roam::threads {

// A kernel thread of the runtime's own that looks at the rank from outside, some times in the time
// it is given. When a thread has waited in the kernel for so long without a switch, and something
// of the rank could go on if it let it, one line says so, once for each such stop: what it waits
// for may be another thread of the rank, and then the job would hang without a word. Who computes
// is left alone. It costs the rank nothing: it reads what the scheduler keeps anyway.
//
// It takes no signals, calls no MPI and allocates nothing. A process that fork makes has none.
class Lookout {
 public:
  // Says what waits for the rank that the scheduler does not know of, "what came ... waits"; null:
  // nothing. Context: the lookout's kernel thread.
  using Unheard = const char* (*)();

  // Context: the rank's kernel thread, which is what is looked at. If no kernel thread can be had,
  // nobody looks.
  Lookout(std::int64_t stopped_ns, Unheard unheard);
  ~Lookout();
  Lookout(const Lookout&) = delete;
  Lookout& operator=(const Lookout&) = delete;

  bool looks() const { return looks_; }

 private:
  // What changes when the rank goes on.
  struct Seen {
    const Tcb* thread = nullptr;
    std::uint64_t switches = 0;
    std::int64_t processor_ns = 0;
    std::int64_t at_ns = 0;
  };

  static void* begin(void* lookout);
  void look();
  bool something_waits(char* what, std::size_t bytes) const;
  void tell(const Tcb* thread, const char* call, const char* waiting);

  const std::int64_t stopped_ns_;
  const Unheard unheard_;
  const int rank_thread_;
  Seen seen_;
  int still_ = 0;  // looks in a row that found the rank where it was
  bool told_ = false;
  int lines_ = 0;
  std::atomic<int> over_ = 0;
  bool looks_ = false;
  pthread_t kernel_thread_{};
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_LOOKOUT_H_
