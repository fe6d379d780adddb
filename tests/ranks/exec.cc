// exec in a thread: exec refused|CALL. Refused where others live, in threads and in kernel threads
// of the program; done in children, and where the caller is all that there is.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

#include "roam/roam.h"
#include "tests/support/check.h"

namespace roam_test {
namespace {

constexpr std::array<std::string_view, 9> kCalls{
    "execl", "execle", "execlp", "execv", "execve", "execveat", "execvp", "execvpe", "fexecve"};

// Calls `call`, for echo; returns what it does.
int exec_by(std::string_view call) {
  char name[] = "echo", first[] = "this is", second[] = "another program", variable[] = "A=B";
  char* const arguments[] = {name, first, second, nullptr};
  char* const environment[] = {variable, nullptr};
  if (call == "execl") return execl("/bin/echo", name, first, second, nullptr);
  if (call == "execle") return execle("/bin/echo", name, first, second, nullptr, environment);
  if (call == "execlp") return execlp("echo", name, first, second, nullptr);
  if (call == "execv") return execv("/bin/echo", arguments);
  if (call == "execve") return execve("/bin/echo", arguments, environment);
  if (call == "execveat") return execveat(AT_FDCWD, "/bin/echo", arguments, environment, 0);
  if (call == "execvp") return execvp("echo", arguments);
  if (call == "execvpe") return execvpe("echo", arguments, environment);
  if (call == "fexecve") return fexecve(open("/bin/echo", O_RDONLY), arguments, environment);
  fail("no such call: " + std::string(call));
}

void expect_refused(std::string_view call) {
  errno = 0;
  expect_eq(exec_by(call), -1, call);
  expect_eq(errno, EPERM, call);
}

void expect_ends_well(pid_t child) {
  int status = 0;
  expect_eq(waitpid(child, &status, 0), child, "the child");
  expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child execs");
}

void be_refused() {
  for (const std::string_view call : kCalls) {
    expect_refused(call);
    pid_t child = vfork();
    if (child == 0) {
      exec_by(call);
      _exit(1);
    }
    expect_ends_well(child);
    child = fork();
    if (child == 0) {
      exec_by(call);
      _exit(1);
    }
    expect_ends_well(child);
  }
  bool refused = false;
  std::thread([&refused] { refused = execl("/bin/true", "true", nullptr) == -1; }).join();
  expect(refused, "a kernel thread's");
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
  const std::string call = argc > 1 ? argv[1] : "refused";
  return roam::run(argc, argv, [call] {
    if (call != "refused") roam_test::exec_by(call);
    roam::Latch over(1);
    const roam::Thread other = roam::spawn([&over] { over.wait(); });
    roam::spawn(roam::SpawnOptions{.rank = roam::ranks() - 1}, roam_test::be_refused).join();
    over.count_down();
    other.join();
    std::puts("run goes on");
  });
}
