#ifndef ROAM_BENCH_CROWD_H_
#define ROAM_BENCH_CROWD_H_

#include <cstddef>
#include <vector>

#include "roam/roam.h"

namespace bench {

// Threads on this rank that do nothing but wait, for as long as this object lives. It lies in the
// memory of a thread.
class Crowd {
 public:
  explicit Crowd(std::size_t count)
      : begun_(static_cast<std::ptrdiff_t>(count)), end_(1), threads_(count) {
    for (roam::Thread& t : threads_) {
      t = roam::spawn([this] {
        begun_.count_down();
        end_.wait();
      });
    }
    begun_.wait();
  }
  ~Crowd() {
    end_.count_down();
    for (const roam::Thread t : threads_) t.join();
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

 private:
  roam::Latch begun_;
  roam::Latch end_;
  std::vector<roam::Thread> threads_;
};

}  // namespace bench

#endif  // ROAM_BENCH_CROWD_H_
