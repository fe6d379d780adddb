// The keeper of a job's checkpoints on a node: a process of its own that holds them in memory when
// the job is killed. Ranks start it (keeper_client.h).
//
//   roam-keeper [--hold SECONDS] FOLDER NODE
//
// Ends with 0 once it listens for clients, or another one does, and goes on in a process that
// belongs to no terminal, session or group of the job's; with 1 and a line on standard error where
// it cannot.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "base/os/file_limit.h"
#include "runtime/keeper/keeper_client.h"
#include "runtime/keeper/keeper_service.h"

namespace {

using roam::runtime::KeeperClient;
using roam::runtime::KeeperService;
using roam::runtime::OwnedFd;

int fail(const std::string& what) {
  fprintf(stderr, "roam-keeper: %s\n", what.c_str());
  return 1;
}

// How a child has ended, which it does at once.
int status_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

// Launchers end what they have started: by the process's number, its group, its session, and by
// closing what it writes to.
void leave_the_job(OwnedFd* listener) {
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM,
                           SIGTSTP, SIGTTIN, SIGTTOU}) {
    ::signal(signal, SIG_IGN);
  }
  // Its place is the first behind the standard ones, and all others are closed.
  constexpr int kPlace = 3;
  if (listener->get() != kPlace) {
    dup2(listener->get(), kPlace);
    listener->reset(kPlace);
  }
  if (close_range(kPlace + 1, UINT_MAX, 0) != 0) {
    for (int fd = kPlace + 1; fd < static_cast<int>(sysconf(_SC_OPEN_MAX)); ++fd) close(fd);
  }
  const int nothing = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < kPlace; ++fd) dup2(nothing, fd);
  if (nothing >= kPlace) close(nothing);
  if (chdir("/") != 0) return;  // then it keeps a file system busy
}

bool number_in(const char* text, long most, long* number) {
  char* end = nullptr;
  errno = 0;
  *number = strtol(text, &end, 10);
  return *text != 0 && *end == 0 && errno == 0 && *number >= 0 && *number <= most;
}

}  // namespace

int main(int argc, char** argv) {
  long hold_s = KeeperClient::kHoldS, node = 0;
  int at = 1;
  if (argc > 2 && strcmp(argv[1], "--hold") == 0) {
    if (!number_in(argv[2], INT_MAX, &hold_s)) return fail("--hold needs a number of seconds");
    at = 3;
  }
  if (argc != at + 2 || argv[at][0] != '/' || !number_in(argv[at + 1], INT_MAX, &node))
    return fail("usage: roam-keeper [--hold SECONDS] FOLDER NODE; ranks with memory=on start it");
  const std::string folder = argv[at];
  OwnedFd listener(KeeperService::listen_for(folder, static_cast<int>(node)));
  if (listener.get() < 0 && errno == EADDRINUSE) return 0;
  if (listener.get() < 0) return fail(std::string("it cannot listen: ") + strerror(errno));

  // Twice, so that it leads no session and can get no terminal.
  pid_t next = fork();
  if (next > 0) return status_of(next);
  if (next == 0) {
    setsid();
    next = fork();
    if (next > 0) return 0;
  }
  if (next < 0) return fail(std::string("no process can be made: ") + strerror(errno));
  leave_the_job(&listener);
  roam::os::allow_many_files();  // a piece is a descriptor
  prctl(PR_SET_NAME, "roam-keeper");
  constexpr std::int64_t kNsPerS = 1'000'000'000;
  KeeperService(std::move(listener), folder, hold_s * kNsPerS).run();
  return 0;
}
