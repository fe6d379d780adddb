// Virtual rank 2 of 4 ends as the first argument says, the others with 0.
#include <glob.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "turns.h"

extern "C" [[noreturn]] void __stack_chk_fail();
extern "C" int __printf_chk(int, const char*, ...);
extern "C" sighandler_t set_signal(int, sighandler_t) asm("sigset");  // it is an old one

[[gnu::noinline]] void fall_here(int* at) {
  *static_cast<volatile int*>(at) = 1;
  asm volatile("");
}

namespace {

int deep(int level) {
  volatile char room[4000];
  room[level % 4000] = static_cast<char>(level);
  return deep(level + 1) + room[0];
}

[[gnu::noinline]] int end_by_timer(const char* how) {
  const auto is = [&](const char* name) { return std::strcmp(how, name) == 0; };
  if (is("alarm")) {
    alarm(1);
    for (;;) take_turn();
  }
  if (is("alarm_asleep")) {
    alarm(1);
    take_turn();
    sleep(30);
  }
  if (is("alarm_let_in")) {  // it came while it was blocked
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    ualarm(1000, 0);
    for (int i = 0; i < 5; ++i) take_turn();
    usleep(100'000);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
  }
  if (is("processor_timer")) {
    const itimerval soon{{}, {1, 0}};
    return setitimer(ITIMER_PROF, &soon, nullptr) == -1 ? 88 : 1;
  }
  return 0;
}

int end(const char* how) {
  const auto is = [&](const char* name) { return std::strcmp(how, name) == 0; };
  if (is("segv")) fall_here(reinterpret_cast<int*>(8));
  if (is("abort")) std::abort();
  if (is("assert")) assert(how == nullptr);
  if (is("throw")) throw std::runtime_error("thrown by hand");
  if (is("exit")) std::exit(77);
  if (is("at_once")) _exit(78);
  if (is("quick")) std::quick_exit(79);
  if (is("deep")) return deep(1);
  if (is("code")) std::memset(reinterpret_cast<void*>(&deep), 0, 4);
  if (is("fork")) return fork() == -1 ? 80 : 1;
  if (is("exec")) return execl("/bin/true", "true", nullptr) == -1 ? 83 : 1;
  if (is("smashed")) __stack_chk_fail();
  if (is("fortified")) {
    char format[] = "%n";  // in memory that can be written
    int count;
    return __printf_chk(1, format, &count);
  }
  if (is("unwind")) {
    try {
      pthread_exit(nullptr);
    } catch (...) {
    }
  }
  if (is("globbed")) {
    glob_t paths{};
    paths.gl_opendir = [](const char*) -> void* {
      errno = EACCES;
      return nullptr;
    };
    setenv("HOME", "/nowhere", 1);
    glob(
        "/*", GLOB_ALTDIRFUNC, [](const char*, int) -> int { std::exit(84); }, &paths);
  }
  if (is("clone")) return clone([](void*) { return 0; }, nullptr, 0, nullptr) == -1 ? 85 : 1;
  if (is("sigset")) return set_signal(SIGUSR1, [](int) {}) == SIG_ERR ? 86 : 1;
  if (is("sigaction")) {
    struct {
      void (*handler)(int);
      unsigned long flags, restorer, mask;
    } action{[](int) {}, 0, 0, 0};
    return syscall(SYS_rt_sigaction, SIGUSR1, &action, nullptr, 8L) == -1 ? 87 : 1;
  }
  if (is("handler")) return std::signal(SIGUSR1, [](int) {}) == SIG_ERR ? 81 : 1;
  if (is("thread")) {
    try {
      std::thread([] {}).join();
    } catch (const std::system_error&) {
      return 82;
    }
  }
  return 1;
}

}  // namespace

int main(int, char** argv) {
  std::atexit([] { std::puts("at exit"); });
  for (int i = 0; i < 3; ++i) take_turn();
  if (my_number() == 2) {
    const int by_timer = end_by_timer(argv[1]);
    return by_timer != 0 ? by_timer : end(argv[1]);
  }
  if (std::strcmp(argv[1], "globbed") == 0) {
    for (int i = 0; i < 6; ++i) take_turn();
    return std::system("test \"$ROAM_VIRTUAL_RANK\" != 2 && test \"$HOME\" != /nowhere");
  }
  return 0;
}
