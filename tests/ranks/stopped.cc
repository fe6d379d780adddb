// A call of a thread stops its rank (ROAM_STOPPED=1): the line that says so comes where others
// could run, and where nobody could, or the rank computes, none does. Each rank looks at its own
// stderr.
//
//   stopped TEXT HOW: with a call of that kind the line has TEXT; then it is let go
//   stopped none HOW: no line comes
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"

namespace roam_test {
namespace {

using std::chrono::milliseconds;

int said = -1;  // what this process writes to stderr
int line[2];    // the pipe that a thread waits at
std::string fifo, wanted;
std::atomic<bool> let_go;

std::string stderr_so_far() {
  char text[8192];
  const ssize_t n = pread(said, text, sizeof text, 0);
  return std::string(text, n > 0 ? static_cast<std::size_t>(n) : 0);
}

void pause_outside(long ms) {
  const timespec time{ms / 1000, ms % 1000 * 1'000'000};
  nanosleep(&time, nullptr);
}

// Plain code, before the run: a kernel thread that ends the stop once it was told of.
void let_go_when_told(std::string_view how) {
  while (stderr_so_far().find(wanted) == std::string::npos) pause_outside(20);
  let_go = true;
  if (how == "pause") kill(getpid(), SIGUSR2);
  if (how == "fifo") close(open(fifo.c_str(), O_WRONLY | O_NONBLOCK));
  if (how != "pause" && how != "fifo" && write(line[1], "go\n", 3) != 3) std::abort();
}

void read_by_stdio() {
  FILE* in = fdopen(line[0], "r");
  char text[8] = "";
  expect(fgets(text, sizeof text, in) != nullptr, "the line came");
  expect_eq(std::string(text), std::string("go\n"), "what was read");
  fclose(in);
}

void compute_for(milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  volatile int work = 0;
  while (std::chrono::steady_clock::now() < until) work = work + 1;
}

// A thread waits by `how`, which stops rank 0, beside one that could run or sleeps.
void stop(const std::string& how) {
  if (how == "stdio" || how == "sleeper" || how == "arrival" || how == "errand") {
    read_by_stdio();
  } else if (how == "raw") {
    char text[3];
    expect_eq(syscall(SYS_read, line[0], text, 3), 3, "raw read");
  } else if (how == "system") {
    const std::string command =
        "read line < /proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(line[0]);
    expect_eq(std::system(command.c_str()), 0, "system");
  } else if (how == "pause") {
    std::signal(SIGUSR2, [](int) {});
    expect_eq(pause(), -1, "pause");
  } else if (how == "fifo") {
    const int fd = open(fifo.c_str(), O_RDONLY);
    expect(fd >= 0, "the FIFO is open");
    close(fd);
  } else {
    fail("no such way: " + how);
  }
}

void be_told(const std::string& how) {
  roam::Promise<int> promise;
  std::thread asker;
  std::vector<roam::Thread> others;
  if (how == "sleeper") {
    others.push_back(roam::spawn([] { roam::this_thread::sleep_for(milliseconds(1500)); }));
    roam::this_thread::yield();
  } else if (how == "arrival") {
    others.push_back(roam::spawn(roam::SpawnOptions{.rank = 1}, [] {
      std::this_thread::sleep_for(milliseconds(300));
      roam::this_thread::migrate(0);
    }));
    roam::this_thread::sleep_for(milliseconds(100));
  } else if (how == "errand") {
    asker = std::thread([&promise] {
      pause_outside(300);
      promise.set_value(7);
    });
  } else {
    others.push_back(roam::spawn([] { expect(let_go, "it runs after the stop"); }));
  }
  stop(how);
  for (const roam::Thread other : others) other.join();
  if (asker.joinable()) {
    expect_eq(promise.get_future().get(), 7, "what the kernel thread gave");
    asker.join();
  }
}

void not_be_told(const std::string& how) {
  if (how == "alone") {
    // The other waits for this one.
    roam::Latch latch(1);
    const roam::Thread other = roam::spawn([&latch] { latch.wait(); });
    roam::this_thread::yield();
    expect_eq(std::system("sleep 3"), 0, "system");
    latch.count_down();
    other.join();
  } else if (how == "computing") {
    const roam::Thread other = roam::spawn([] {});
    compute_for(milliseconds(3000));
    other.join();
  } else if (how == "in_turns") {
    // Never long in one call.
    const roam::Thread other =
        roam::spawn([] { roam::this_thread::sleep_for(milliseconds(3000)); });
    for (int i = 0; i < 60; ++i) {
      timespec time{0, 50'000'000};
      syscall(SYS_nanosleep, &time, nullptr);
      roam::this_thread::yield();
    }
    other.join();
  } else if (how == "waits") {
    // These let others run.
    const roam::Thread other = roam::spawn([] {
      std::this_thread::sleep_for(milliseconds(2500));
      expect_eq(write(line[1], "go\n", 3), 3, "write");
    });
    char text[3];
    expect_eq(read(line[0], text, 3), 3, "read");
    other.join();
  } else {
    fail("no such way: " + how);
  }
}

int run(int argc, char** argv) {
  wanted = argv[1];
  const std::string how = argv[2];
  const bool told = wanted != "none";
  const int real = dup(STDERR_FILENO);
  said = memfd_create("stderr", 0);
  dup2(said, STDERR_FILENO);
  const char* scratch = std::getenv("TMPDIR");
  fifo = std::string(scratch != nullptr ? scratch : "/tmp") + "/fifo" + std::to_string(getpid());
  if (pipe(line) != 0 || (how == "fifo" && mkfifo(fifo.c_str(), 0600) != 0)) return 1;
  std::thread helper;
  roam::run(argc, argv, [&helper, how, told] {
    // On rank 0 only. It is the program's: its end is not waited for by the threads.
    if (told) {
      roam::SystemHeap process;
      helper = std::thread(let_go_when_told, how);
    }
    told ? be_told(how) : not_be_told(how);
  });
  if (helper.joinable()) helper.join();
  if (how == "fifo") unlink(fifo.c_str());
  dup2(real, STDERR_FILENO);
  const std::string all = stderr_so_far();
  std::fputs(all.c_str(), stderr);
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = all.find("has stopped this rank", at)) != all.npos; ++at) ++lines;
  const std::size_t most = told ? 1 : 0;
  if (lines > most) std::printf("%zu lines, where %zu would do\n", lines, most);
  return lines > most ? 1 : 0;
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) { return argc < 3 ? 2 : roam_test::run(argc, argv); }
