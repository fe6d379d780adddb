#ifndef ROAM_BENCH_TRAVELLER_H_
#define ROAM_BENCH_TRAVELLER_H_

#include <cstddef>

#include "roam/roam.h"

namespace bench {

// A thread with a heap of some size that, when told, goes to rank 1 and back and tells how long a
// hop took. It lives as long as this object, which lies in the memory of a thread on rank 0 that
// does not move.
class Traveller {
 public:
  // `fragmented`: the heap consists of blocks of 256 B, and as many, in runs of 64, were freed
  // among them.
  explicit Traveller(std::size_t heap_bytes, bool fragmented = false);
  ~Traveller();
  Traveller(const Traveller&) = delete;
  Traveller& operator=(const Traveller&) = delete;

  // Nanoseconds of one hop, over `hops` of them (made even) there and back.
  double travel(std::size_t hops);

 private:
  roam::Channel<std::size_t> orders_;
  roam::Channel<double> answers_;
  roam::Thread thread_;
};

}  // namespace bench

#endif  // ROAM_BENCH_TRAVELLER_H_
