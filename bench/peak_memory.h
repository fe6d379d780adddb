#ifndef ROAM_BENCH_PEAK_MEMORY_H_
#define ROAM_BENCH_PEAK_MEMORY_H_

namespace bench {

// How much the resident memory of this process grows, at its highest, from the constructor on. What
// malloc has kept from earlier is given back first, so that it counts again.
class PeakMemory {
 public:
  PeakMemory();
  // Bytes so far; below zero where the kernel does not let the peak be reset.
  double growth() const;

 private:
  double before_ = -1;
};

}  // namespace bench

#endif  // ROAM_BENCH_PEAK_MEMORY_H_
