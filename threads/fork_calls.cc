// fork of the whole program. The ranks of a node share the arena, so that parent and child would
// run on one stack and write into one heap: the caller waits on the rank's own stack while the
// child takes a copy of what the rank's threads have. docs/decisions/0027-fork.md
//
// posix_spawn, popen, system and vfork need nothing: their child borrows the parent's memory until
// it execs, and the parent waits.

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>

#include "base/check.h"
#include "isomalloc/heap.h"
#include "isomalloc/turns.h"
#include "threads/child.h"

namespace roam::threads {
namespace {

// One call, on both sides. It lies on a kernel thread's own stack.
class Forking {
 public:
  explicit Forking(Tcb* forker) : forker_(forker) {}
  // In the child nothing is given back: malloc's locks may be held there after _Fork.
  ~Forking() {
    drop(line_[0]);
    drop(line_[1]);
    if (!done_) delete memory_;
  }
  Forking(const Forking&) = delete;
  Forking& operator=(const Forking&) = delete;

  // False: there cannot be a child, errno says why.
  bool prepare() {
    if (!iso::arena().ready() || !iso::arena().shared()) return true;
    try {  // through libc's frames, and those of the rank's own stack, nothing is thrown
      memory_ = new iso::Arena::ChildMemory(memory_of_rank());
    } catch (const std::bad_alloc&) {
      errno = ENOMEM;
      return false;
    }
    return pipe2(line_, O_CLOEXEC) == 0;
  }

  // In the parent: waits until the child has its copy. Both sides may be called again.
  void wait_for_child() {
    if (line_[0] < 0) return;
    drop(line_[1]);
    ssize_t got;
    do {
      got = read(line_[0], &error_, sizeof error_);
    } while (got < 0 && errno == EINTR);
    drop(line_[0]);
    if (got != sizeof error_) error_ = 0;  // it is gone, by a signal: its parent sees that
  }
  void in_child() {
    if (done_) return;
    done_ = true;
    const bool shared = line_[1] >= 0;
    if (!shared && child_hooks.host == nullptr) {  // there is no job yet
      iso::turns_in_child();
      return;
    }
    const bool ok = become_child(forker_, memory_);
    const int error = ok ? 0 : errno;
    // Nobody reads it once the parent was killed: that is no reason to end.
    if (shared && write(line_[1], &error, sizeof error) < 0) errno = 0;
    if (!ok) _exit(127);
    drop(line_[0]);
    drop(line_[1]);
  }
  // What kept the child from its copy; 0: nothing did.
  int error() const { return error_; }

 private:
  static void drop(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }

  Tcb* forker_;
  const iso::Arena::ChildMemory* memory_ = nullptr;
  int line_[2] = {-1, -1};
  int error_ = 0;
  bool done_ = false;
};

thread_local constinit Forking* forking [[gnu::tls_model("initial-exec")]] = nullptr;

// Before handlers of the program, of which the child's may change what threads have; after locks
// of the layer below are free again.
[[gnu::constructor(106)]] void watch_forks() {
  pthread_atfork(
      nullptr,
      [] {
        if (forking != nullptr) forking->wait_for_child();
      },
      [] {
        if (forking != nullptr) forking->in_child();
      });
}

// `real` forks: 0 in the child, -1 if there is none. In a thread: on the rank's own stack.
template <class Real>
pid_t fork_by(Real real) {
  pid_t result = -1;
  int error = 0;
  const auto call = [&](Tcb* forker) {
    Forking here(forker);
    // What the caller's stack holds is a copy from in_child() on.
    pid_t pid = -1;
    if (here.prepare()) {
      forking = &here;
      pid = real();
      if (pid > 0) here.wait_for_child();
      if (pid == 0) here.in_child();
      forking = nullptr;
    }
    error = errno;
    if (pid > 0 && here.error() != 0) {
      while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
      }
      pid = -1;
      error = here.error();
    }
    result = pid;
  };
  Tcb* self = on_rank_thread ? scheduler().current() : nullptr;
  if (self != nullptr) {
    on_rank_stack([&] { call(self); });
  } else {
    call(nullptr);
  }
  errno = error;
  return result;
}

template <class F>
F* real(const char* name) {
  iso::HeapScope process;
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace
}  // namespace roam::threads

using roam::threads::fork_by;
using roam::threads::real;

#define ROAM_EXPORT extern "C" __attribute__((visibility("default")))

ROAM_EXPORT pid_t fork() noexcept {
  static const auto libc = real<pid_t()>("fork");
  return fork_by([] { return libc(); });
}

ROAM_EXPORT pid_t __fork() noexcept { return fork(); }

// Without the handlers of pthread_atfork.
ROAM_EXPORT pid_t _Fork() noexcept {
  static const auto libc = real<pid_t()>("_Fork");
  return fork_by([] { return libc(); });
}

// The rank would go on as a process that mpiexec knows nothing of.
ROAM_EXPORT int daemon(int keep_folder, int keep_streams) noexcept {
  static const auto libc = real<int(int, int)>("daemon");
  if (!roam::threads::on_rank_thread || roam::threads::scheduler().current() == nullptr)
    return libc(keep_folder, keep_streams);
  roam::iso::HeapScope process;
  roam::report("daemon() in a thread would end this rank: nothing was done. fork first");
  errno = EPERM;
  return -1;
}

ROAM_EXPORT int forkpty(int* primary, char* name, const termios* modes,
                        const winsize* size) noexcept {
  static const auto libc = real<int(int*, char*, const termios*, const winsize*)>("forkpty");
  int opened = -1;
  char path[64] = "";
  const pid_t pid = fork_by([&] { return libc(&opened, path, modes, size); });
  if (pid > 0) *primary = opened;
  if (pid > 0 && name != nullptr) __builtin_strcpy(name, path);
  return pid;
}
