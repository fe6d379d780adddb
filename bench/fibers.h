#ifndef ROAM_BENCH_FIBERS_H_
#define ROAM_BENCH_FIBERS_H_

#include <boost/context/fiber.hpp>
#include <cstddef>
#include <vector>

namespace bench {

// As much address space as a thread of Roam has for its stack by default.
inline constexpr std::size_t kStackBytes = 256 << 10;

// Stacks in one private mapping, a page apart, where a guard would be; a page exists once it is
// touched.
class Stacks {
 public:
  // With `coloured`, tops begin at different offsets in their pages, so that the hot lines of many
  // stacks do not fight for the same few sets of the cache: the faster floor beyond some dozen.
  Stacks(std::size_t count, bool coloured);
  ~Stacks();
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  boost::context::preallocated at(std::size_t index) const;

 private:
  std::size_t count_;
  bool coloured_;
  char* memory_;
};

// The stack belongs to a Stacks: there is nothing to give back.
struct NoDeallocation {
  void deallocate(boost::context::stack_context&) noexcept {}
};

// Contexts that switch to each other directly, each to the next: the caller of lap() and count - 1
// fibers. Nothing else happens between the switches. REQUIRES: count >= 2.
class FiberRing {
 public:
  FiberRing(std::size_t count, bool coloured);
  ~FiberRing();
  FiberRing(const FiberRing&) = delete;
  FiberRing& operator=(const FiberRing&) = delete;

  // One switch into each context, the last back to the caller.
  void lap() { ring_.back() = std::move(ring_[1]).resume(); }
  std::size_t count() const { return ring_.size(); }

 private:
  boost::context::fiber body(std::size_t index, boost::context::fiber&& from);

  Stacks stacks_;
  std::vector<boost::context::fiber> ring_;  // [0] is the caller
  bool stop_ = false;
};

}  // namespace bench

#endif  // ROAM_BENCH_FIBERS_H_
