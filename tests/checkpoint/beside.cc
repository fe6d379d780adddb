// What is done to threads' memory besides writing into it while checkpoints are made: kernel
// threads of the program free blocks of theirs, hooks write into a block that was made on another
// rank, and pages are thrown away with madvise. All ranks are one node. Where it goes on from a
// checkpoint, it looks at all of that, and ends.
//
//   beside FOLDER CHECKPOINTS
#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "roam/roam.h"
#include "tests/support/random.h"

namespace roam_test {
namespace {

constexpr int kWorkers = 6;                       // of a rank
constexpr std::size_t kLive = 100, kOld = 3'000;  // blocks

// Made on rank 0. What a rank writes has a page of its own.
struct Shared {
  struct alignas(4096) Page {
    std::uint64_t hooks = 0;
  };
  std::atomic<bool> end = false;
  Page of_rank[64];
};

Shared* shared = nullptr;     // job data
std::uint64_t hooks_run = 0;  // job data
int ranks_then = 0;           // job data

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "FAILED: rank %d: %s\n", roam::rank(), what.c_str());
  std::_Exit(1);
}

// Blocks that the rank's kernel thread is to free. It is slow, so that it is never done while the
// threads stand still.
constexpr std::size_t kMostGiven = 300;
char* given[kMostGiven];
std::size_t given_count = 0;
std::atomic<bool> over = false;

// A thread that waits for a mutex would be in the way of checkpoints.
class Turn {
 public:
  Turn() {
    while (taken_.exchange(true, std::memory_order_acquire)) {
    }
  }
  ~Turn() { taken_.store(false, std::memory_order_release); }

 private:
  static inline std::atomic<bool> taken_ = false;
};

bool give(char* block) {
  const Turn mine;
  if (given_count == kMostGiven) return false;
  given[given_count++] = block;
  return true;
}

void free_what_is_given() {
  while (!over) {
    std::vector<char*> some;
    {
      const Turn mine;
      while (some.size() < 2 && given_count > 0) some.push_back(given[--given_count]);
    }
    for (char* block : some) delete[] block;
    std::this_thread::sleep_for(std::chrono::microseconds(10));
  }
}

// A block says in its first bytes how many follow, all of one value.
char* make(std::uint64_t random) {
  const auto bytes = static_cast<std::uint32_t>(16 + random % (random % 16 == 0 ? 9'000 : 1'500));
  char* block = new char[bytes];
  std::memcpy(block, &bytes, sizeof bytes);
  std::memset(block + sizeof bytes, static_cast<int>(bytes % 251), bytes - sizeof bytes);
  return block;
}
void check(const char* block) {
  std::uint32_t bytes;
  std::memcpy(&bytes, block, sizeof bytes);
  for (std::uint32_t i = sizeof bytes; i < bytes; ++i) {
    if (static_cast<unsigned char>(block[i]) != bytes % 251)
      fail("byte " + std::to_string(i) + " of a block is not as it was");
  }
}

// Pages of which some are thrown away, and read as zeros then.
class Thrown {
 public:
  Thrown() : pages_(static_cast<char*>(std::aligned_alloc(kPage, kPages * kPage))) {
    std::memset(pages_, 7, kPages * kPage);
  }
  ~Thrown() { std::free(pages_); }
  Thrown(const Thrown&) = delete;
  Thrown& operator=(const Thrown&) = delete;
  void throw_one(std::uint64_t random) {
    const std::size_t page = random % kPages;
    char* at = pages_ + page * kPage;
    // Memory that ranks share is thrown away in one way, a rank's own in another.
    if (madvise(at, kPage, MADV_REMOVE) != 0) madvise(at, kPage, MADV_DONTNEED);
    gone_[page] = true;
    check();
    if (random % 3 != 0) return;
    std::memset(at, 7, kPage);
    gone_[page] = false;
  }
  void check() const {
    for (std::size_t page = 0; page < kPages; ++page) {
      if (pages_[page * kPage + 5] != (gone_[page] ? 0 : 7))
        fail("page " + std::to_string(page) + " is not as it was");
    }
  }

 private:
  static constexpr std::size_t kPage = 4096, kPages = 64;
  char* pages_;
  bool gone_[kPages] = {};
};

void work(int number) {
  std::uint64_t random = static_cast<std::uint64_t>(number) + 1;
  std::vector<char*> live;
  std::vector<char*> old;  // in pages that do not change before they are freed
  Thrown thrown;
  for (int step = 0; !shared->end; ++step) {
    thrown.check();
    if (step % 16 == 0) thrown.throw_one(random);
    random = mix(random);
    while (old.size() < kOld) old.push_back(make(random++));
    std::swap(old[random % kOld], old.back());
    check(old.back());
    if (give(old.back())) old.pop_back();
    for (int i = 0; i < 20; ++i) {
      random = mix(random);
      live.push_back(make(random));
      if (live.size() <= kLive) continue;
      std::swap(live[random % live.size()], live.back());
      check(live.back());
      delete[] live.back();
      live.pop_back();
    }
    roam::this_thread::yield();
  }
  live.insert(live.end(), old.begin(), old.end());
  for (const char* block : live) check(block);
  for (const char* block : live) delete[] block;
}

void look(int checkpoints) {
  for (int r = 0; r < ranks_then; ++r) {
    const std::uint64_t found = shared->of_rank[r].hooks;
    if (found != hooks_run)
      fail("the hook of rank " + std::to_string(r) + " had run " + std::to_string(found) +
           " times, and rank 0's " + std::to_string(hooks_run));
  }
  std::printf("checkpoint %d is right on %d ranks\n", checkpoints, roam::ranks());
}

void begin(const std::string& folder, int checkpoints) {
  ranks_then = roam::ranks();
  shared = new (iso_malloc(sizeof(Shared))) Shared;
  std::vector<roam::Thread> workers;
  for (int r = 0; r < roam::ranks(); ++r) {
    roam::spawn({.rank = r}, [block = shared] { shared = block; }).join();
    for (int i = 0; i < kWorkers; ++i)
      workers.push_back(roam::spawn({.rank = r}, [number = r * kWorkers + i] { work(number); }));
  }
  bool restarted = false;
  for (int i = 1; i <= checkpoints && !restarted; ++i) {
    roam::this_thread::sleep_for(std::chrono::milliseconds(5));
    restarted = roam::checkpoint(folder) == roam::Resumed::yes;
    if (restarted) look(i);
  }
  roam::this_thread::sleep_for(std::chrono::milliseconds(20));
  shared->end = true;
  for (roam::Thread worker : workers) worker.join();
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
  using namespace roam_test;
  const std::string folder = argv[1];
  const int checkpoints = std::atoi(argv[2]);
  roam::job_data("shared", shared);
  roam::job_data("hooks", hooks_run);
  roam::job_data("ranks", ranks_then);
  // The last rank's is late: the others might be at their copies by then.
  roam::on_checkpoint([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(3 * roam::rank()));
    ++hooks_run;
    ++shared->of_rank[roam::rank()].hooks;
  });
  std::thread other(free_what_is_given);
  const int status = roam::run(argc, argv, [folder, checkpoints] { begin(folder, checkpoints); });
  over = true;
  other.join();
  return status;
}
