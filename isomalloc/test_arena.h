#ifndef ROAM_ISOMALLOC_TEST_ARENA_H_
#define ROAM_ISOMALLOC_TEST_ARENA_H_

#include <gtest/gtest.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <optional>

#include "base/options.h"
#include "base/range.h"
#include "base/sanitizers.h"
#include "isomalloc/arena.h"
#include "isomalloc/range_pool.h"

namespace roam::iso {

// For tests: an arena that is this process's, all leases in its pools; given back at the end.
class TestArena {
 public:
  static constexpr Address kBase = sanitizers::kArenaBase + (std::size_t{160} << 30);

  explicit TestArena(bool shared = false, std::size_t bytes = std::size_t{4} << 30,
                     std::size_t keep_bytes = 64 << 20) {
    reserve(bytes);
    if (shared) {
      arena().create_shared();
    } else {
      arena().use_private();
    }
    for (const Region region : {Region::kSlots, Region::kHeap, Region::kBlocks}) {
      pool(region).set_keep_bytes(keep_bytes);
      pool(region).add(LeaseRun{region, 0, arena().layout().lease_count(region)});
    }
  }
  ~TestArena() { release(); }
  TestArena(const TestArena&) = delete;
  TestArena& operator=(const TestArena&) = delete;

  // The addresses only.
  static void reserve(std::size_t bytes, int ranks = 1, std::size_t memory_bytes = 0) {
    Options options;
    options.arena_base = kBase;
    options.arena_bytes = bytes;
    options.memory_bytes = memory_bytes;
    if (const char* guards = std::getenv("ROAM_GUARDS"); guards != nullptr) options.guards = guards;
    arena().reserve(options);
    arena().set_ranks(ranks);
  }
  static void release() {
    for (const Region region : {Region::kSlots, Region::kHeap, Region::kBlocks}) {
      pool(region).clear();
      pool(region).set_source(nullptr);
    }
    arena().release();
  }
};

// For tests: what a pool asks while the process's own memory is out.
class NoMemory : public LeaseSource {
 public:
  std::optional<LeaseRun> request(Region, std::size_t) override { throw std::bad_alloc(); }
  bool collect(Region, std::size_t) override { throw std::bad_alloc(); }
  bool obtain(Range) override { throw std::bad_alloc(); }
};

// Whether a byte at `address` can be read, found without a fault.
inline bool readable(Address address) {
  char byte;
  iovec mine{&byte, 1};
  iovec there{reinterpret_cast<void*>(address), 1};
  return process_vm_readv(getpid(), &mine, 1, &there, 1, 0) == 1;
}

// A second process, made by fork, that runs `body` and passes numbers to and from this one. What
// `body` returns is its verdict: true if all was as it should be there.
class OtherProcess {
 public:
  class Line {
   public:
    void send(std::uint64_t value) {
      if (write(out_, &value, sizeof value) != sizeof value) _exit(3);
    }
    std::uint64_t receive() {
      std::uint64_t value = 0;
      if (read(in_, &value, sizeof value) != sizeof value) _exit(4);
      return value;
    }

   private:
    friend class OtherProcess;
    int in_ = -1, out_ = -1;
  };

  explicit OtherProcess(const std::function<bool(Line&)>& body) {
    int down[2], up[2];
    if (pipe(down) != 0 || pipe(up) != 0) std::abort();
    child_ = fork();
    if (child_ == 0) {
      close(down[1]);
      close(up[0]);
      Line line;
      line.in_ = down[0];
      line.out_ = up[1];
      _exit(body(line) ? 0 : 1);
    }
    close(down[0]);
    close(up[1]);
    line_.in_ = up[0];
    line_.out_ = down[1];
  }
  ~OtherProcess() {
    if (child_ > 0) good();
    close(line_.in_);
    close(line_.out_);
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  Line& line() { return line_; }
  // Waits for its end.
  bool good() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t child_ = -1;
  Line line_;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_TEST_ARENA_H_
