#include "bench/fibers.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace bench {
namespace {

using boost::context::fiber;

// As many colours as lines fit in half a page, in an order that sends neighbours apart.
constexpr std::size_t kColours = 32;
constexpr std::size_t kColourStep = 64;
constexpr std::size_t kStrideBytes = kStackBytes + 4096;

}  // namespace

Stacks::Stacks(std::size_t count, bool coloured) : count_(count), coloured_(coloured) {
  void* memory = mmap(nullptr, count * kStrideBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap of the floor's stacks");
    std::exit(1);
  }
  memory_ = static_cast<char*>(memory);
}

Stacks::~Stacks() { munmap(memory_, count_ * kStrideBytes); }

boost::context::preallocated Stacks::at(std::size_t index) const {
  boost::context::stack_context memory;
  memory.size = kStackBytes - (coloured_ ? index * 7 % kColours * kColourStep : 0);
  memory.sp = memory_ + index * kStrideBytes + memory.size;
  return boost::context::preallocated(memory.sp, memory.size, memory);
}

FiberRing::FiberRing(std::size_t count, bool coloured) : stacks_(count, coloured), ring_(count) {
  for (std::size_t i = 1; i < count; ++i) {
    ring_[i] = fiber(std::allocator_arg, stacks_.at(i), NoDeallocation{},
                     [this, i](fiber&& from) { return body(i, std::move(from)); });
  }
}

// Whoever resumes us is our predecessor in the ring.
fiber FiberRing::body(std::size_t index, fiber&& from) {
  ring_[index - 1] = std::move(from);
  const std::size_t next = index + 1 == ring_.size() ? 0 : index + 1;
  while (!stop_) ring_[index - 1] = std::move(ring_[next]).resume();
  return std::move(ring_[next]);
}

FiberRing::~FiberRing() {
  stop_ = true;
  // Each fiber ends into the next, and the last into us.
  std::move(ring_[1]).resume();
}

}  // namespace bench
