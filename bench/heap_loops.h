#ifndef ROAM_BENCH_HEAP_LOOPS_H_
#define ROAM_BENCH_HEAP_LOOPS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bench {

// The compiler must not see that nothing is done with the block.
inline void use(void*& block) { asm volatile("" : "+r"(block)::"memory"); }

// Work for whatever malloc the program has. The same object code runs in a thread of Roam and in
// the peers, so that only what is behind malloc, free, new and delete differs.
class HeapLoops {
 public:
  HeapLoops();
  ~HeapLoops();

  // One slice of `loop`, after a short warm-up: nanoseconds of one operation. What a loop keeps
  // allocated between slices lives until end().
  //
  //   pair/BYTES    malloc, then free
  //   aligned/BYTES aligned_alloc at 64 bytes, then free
  //   burst/BYTES   64 times malloc, then 64 times free in the same order; a pair each
  //   churn/BYTES   10,000 live blocks of 16 to BYTES, the logarithm of their size uniform: free
  //   one
  //                 at random, malloc another, write its first word
  //   grow/BYTES    realloc from 4 KiB to BYTES, half as much more each time, then free; a realloc
  //   append/BYTES  the same, 64 KiB more each time
  //   map           std::map<int, int>: 10,000 random keys in, then out in another order; a key
  //   strings       std::vector<std::string>: 10,000 of 8 to 100 characters, then dropped; a string
  double time(const std::string& loop);
  void end() { loops_.clear(); }

  // Not a time: after 20 replacements of each of 10,000 live blocks of 16 to 4096 bytes, all of
  // them written, what the process grew by over the bytes that live. Ask for it first: memory that
  // was freed before would hide the growth.
  static double resident_over_live();

  struct Loop {
    virtual ~Loop() = default;
    virtual double slice() = 0;
  };

 private:
  std::map<std::string, std::unique_ptr<Loop>> loops_;
};

// Blocks that one thread allocates and another frees. Each call returns nanoseconds a block.
class PassedBlocks {
 public:
  static constexpr std::size_t kBlocks = 1'000;
  static constexpr std::size_t kBatches = 10;  // of a slice

  explicit PassedBlocks(std::size_t bytes) : bytes_(bytes), blocks_(kBlocks) {}
  double allocate();
  double release();

 private:
  std::size_t bytes_;
  std::vector<void*> blocks_;
};

}  // namespace bench

#endif  // ROAM_BENCH_HEAP_LOOPS_H_
