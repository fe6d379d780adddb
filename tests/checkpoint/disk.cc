// A job that makes checkpoints from time to time, in memory and on disk, while the disk fails: in
// checkpoint FAILS fsync of the files that have WORD in their path. When checkpoint KILL begins it
// is killed.
//
//   disk SECONDS [WORD FAILS KILL]
#include <dlfcn.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "roam/roam.h"

namespace {

int checkpoints = 0;  // that this process has begun
const char* word = nullptr;
std::atomic<bool> fails = false;
std::atomic<bool> still = false;  // since hooks ran; kernel threads that free may wait

void compute(int seconds) {
  std::vector<long> memory(300'000);
  for (int round = 0; round < 20 * seconds; ++round) {
    still = false;
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] += static_cast<long>(i) * round;
    roam::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::printf("sum %ld\n", std::accumulate(memory.begin(), memory.end(), 0L));
}

}  // namespace

// In the place of libc's for the runtime too.
extern "C" int fsync(int fd) {
  char path[4096];
  const ssize_t bytes =
      readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  if (fails && bytes > 0 &&
      std::string_view(path, static_cast<std::size_t>(bytes)).find(word) != std::string::npos) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fsync, fd));
}

// A kernel thread that frees may have the loader's lock, which this takes.
extern "C" int dladdr(const void* address, Dl_info* info) {
  static const auto real = reinterpret_cast<decltype(&dladdr)>(dlsym(RTLD_NEXT, "dladdr"));
  if (still) std::fputs("dladdr is called while threads stand still\n", stderr);
  return real(address, info);
}

int main(int argc, char** argv) {
  const int seconds = std::atoi(argv[1]);
  if (argc > 4) {
    word = argv[2];
    roam::on_checkpoint([failing = std::atoi(argv[3]), kills = std::atoi(argv[4])] {
      if (++checkpoints == kills) kill(getpid(), SIGKILL);
      fails = checkpoints == failing;
      still = true;
    });
  }
  return roam::run(argc, argv, [seconds] {
    std::vector<roam::Thread> threads;
    for (int r = 0; r < roam::ranks(); ++r)
      threads.push_back(roam::spawn({.rank = r}, [seconds] { compute(seconds); }));
    for (const roam::Thread t : threads) t.join();
  });
}
