#include "bench/ping_pong.h"

#include <mpi.h>
#include <sys/mman.h>

#include <climits>
#include <cstdio>
#include <cstring>

#include "bench/contest.h"
#include "roam/roam.h"

namespace bench {
namespace {

constexpr int kTag = 1;
constexpr int kReadyTag = 2;
// Room for MPI on the threads' stacks.
constexpr std::size_t kMpiStackBytes = 1 << 20;

class Mapping {
 public:
  explicit Mapping(std::size_t bytes) : bytes_(bytes) {
    memory_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) {
      std::perror("mmap of the floor's buffer");
      MPI_Abort(MPI_COMM_WORLD, 1);
    }
  }
  ~Mapping() { munmap(memory_, bytes_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  void* memory() const { return memory_; }

 private:
  std::size_t bytes_;
  void* memory_;
};

void send(const void* data, std::size_t bytes, int to) {
  MPI_Send(data, static_cast<int>(bytes), MPI_BYTE, to, kTag, MPI_COMM_WORLD);
}

void receive(void* data, std::size_t bytes, int from) {
  MPI_Recv(data, static_cast<int>(bytes), MPI_BYTE, from, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

// The untimed part of a round ends on both sides before the next begins.
void meet(int other) {
  MPI_Sendrecv(nullptr, 0, MPI_BYTE, other, kReadyTag, nullptr, 0, MPI_BYTE, other, kReadyTag,
               MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

void answer(std::size_t bytes, std::size_t rounds, Memory memory) {
  const roam::SystemHeap process;  // MPI's allocations are not this thread's
  Mapping warm(bytes);
  meet(0);
  for (std::size_t i = 0; i < rounds; ++i) {
    if (memory == Memory::kWarm) {
      receive(warm.memory(), bytes, 0);
      send(warm.memory(), bytes, 0);
    } else {
      Mapping fresh(bytes);
      meet(0);
      receive(fresh.memory(), bytes, 0);
      send(fresh.memory(), bytes, 0);
    }
  }
}

double ask_warm(void* buffer, std::size_t bytes, std::size_t rounds) {
  std::int64_t begin_ns = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    if (i == 1) begin_ns = now_ns();  // the first round touches the buffers
    send(buffer, bytes, 1);
    receive(buffer, bytes, 1);
  }
  return static_cast<double>(now_ns() - begin_ns) / (2 * (rounds - 1));
}

double ask_fresh(const void* buffer, std::size_t bytes, std::size_t rounds) {
  std::int64_t total_ns = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    Mapping fresh(bytes);
    meet(1);
    const std::int64_t begin_ns = now_ns();
    send(buffer, bytes, 1);
    receive(fresh.memory(), bytes, 1);
    total_ns += now_ns() - begin_ns;
  }
  return static_cast<double>(total_ns) / (2 * rounds);
}

}  // namespace

double ping_pong(std::size_t bytes, std::size_t rounds, Memory memory) {
  if (bytes > INT_MAX) MPI_Abort(MPI_COMM_WORLD, 1);
  if (memory == Memory::kWarm) ++rounds;
  const roam::Thread partner =
      roam::spawn({.name = "partner", .stack_bytes = kMpiStackBytes, .rank = 1},
                  [=] { answer(bytes, rounds, memory); });
  // While it is under way to rank 1 this rank must run.
  MPI_Request met = MPI_REQUEST_NULL;
  {
    const roam::SystemHeap process;
    MPI_Irecv(nullptr, 0, MPI_BYTE, 1, kReadyTag, MPI_COMM_WORLD, &met);
  }
  for (int there = 0; there == 0;) {
    roam::this_thread::yield();
    const roam::SystemHeap process;
    MPI_Test(&met, &there, MPI_STATUS_IGNORE);
  }
  double one_way_ns;
  {
    const roam::SystemHeap process;
    MPI_Send(nullptr, 0, MPI_BYTE, 1, kReadyTag, MPI_COMM_WORLD);
    const Mapping buffer(bytes);
    std::memset(buffer.memory(), 1, bytes);
    one_way_ns = memory == Memory::kWarm ? ask_warm(buffer.memory(), bytes, rounds)
                                         : ask_fresh(buffer.memory(), bytes, rounds);
  }
  partner.join();
  return one_way_ns;
}

}  // namespace bench
