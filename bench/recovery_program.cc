// A job for bench/recovery: threads of all ranks that hold memory and do a step together, again and
// again, and the moments when they have done one.
//
//   recovery_program MIB BEATS SECONDS     MIB: of all ranks; BEATS: a file of moments, one a line,
//                                          in nanoseconds since 1970; SECONDS: until it ends
//   recovery_program MIB copy              how long a memcpy of all that takes
//   recovery_program FILE read             no job: reads a file past the page cache into memory
//   that
//                                          is new, and looks at each page of it
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "roam/roam.h"

namespace {

constexpr int kMembersOfARank = 4;
constexpr std::size_t kPage = 4096;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void note(const std::string& beats, std::int64_t at) {
  std::FILE* file = std::fopen(beats.c_str(), "a");
  if (file == nullptr) std::abort();
  std::fprintf(file, "%lld\n", static_cast<long long>(at));
  std::fclose(file);
}

struct Plan {
  std::size_t bytes;  // of a member
  std::string beats;
  std::int64_t end_ns;
};

void steps(const Plan& plan) {
  const roam::Team team = roam::Team::current();
  std::vector<char> memory(plan.bytes, static_cast<char>(team.index() + 1));
  for (std::size_t step = 0;; ++step) {
    memory[step * kPage % plan.bytes] ^= 1;
    const bool last =
        team.allreduce(now_ns() >= plan.end_ns, [](bool a, bool b) { return a || b; });
    if (team.index() == 0) note(plan.beats, now_ns());
    if (last) break;
    roam::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (std::size_t page = 0; page < plan.bytes; page += kPage) {
    if ((memory[page] ^ (team.index() + 1)) > 1) std::abort();  // that is not what was there
  }
}

void copies(const Plan& plan) {
  const roam::Team team = roam::Team::current();
  const std::vector<char> from(plan.bytes, 1);
  std::vector<char> to(plan.bytes, 2);
  for (int round = 0; round < 5; ++round) {
    team.barrier();
    const std::int64_t begin = now_ns();
    std::memcpy(to.data(), from.data(), plan.bytes);
    team.barrier();
    if (team.index() == 0 && round > 0)
      std::printf("memcpy %lld ns\n", static_cast<long long>(now_ns() - begin));
  }
}

// What a restart cannot do without.
int read_into_new_memory(const char* path) {
  constexpr std::size_t kPart = 4 << 20;
  const int file = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
  struct stat is {};
  if (file < 0 || fstat(file, &is) != 0) return 1;
  const std::size_t bytes = static_cast<std::size_t>(is.st_size);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  char* to = static_cast<char*>(memory);
  for (std::size_t at = 0; at < bytes;) {
    const ssize_t done = read(file, to + at, std::min(kPart, bytes - at));
    if (done <= 0) return 1;
    at += static_cast<std::size_t>(done);
  }
  unsigned sum = 0;
  for (std::size_t page = 0; page < bytes; page += kPage)
    sum += static_cast<unsigned char>(to[page]);
  std::printf("%u\n", sum);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr,
                 "usage: recovery_program MIB BEATS SECONDS\n       recovery_program MIB copy\n");
    return 2;
  }
  if (std::string(argv[2]) == "read") return read_into_new_memory(argv[1]);
  Plan plan;
  const std::size_t all = std::strtoull(argv[1], nullptr, 10) << 20;
  plan.beats = argv[2];
  const bool copy = plan.beats == "copy";
  plan.end_ns = now_ns() + (argc > 3 ? std::atoll(argv[3]) : 0) * 1'000'000'000;
  return roam::run(argc, argv, [&plan, all, copy] {
    const int members = kMembersOfARank * roam::ranks();
    plan.bytes = all / static_cast<std::size_t>(members) + kPage;
    roam::spawn_team({.name = "members"}, members, [plan, copy] {
      copy ? copies(plan) : steps(plan);
    }).join();
  });
}
