#include "bench/peer.h"

#include <sched.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace bench {
namespace {

constexpr int kPeerSocket = 3;  // in the peer
constexpr std::size_t kLongestOrder = 128;

[[noreturn]] void fail(const std::string& what) {
  std::perror(what.c_str());
  std::exit(1);
}

std::string beside_this_program(const std::string& program) {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0) fail("/proc/self/exe");
  const std::string own(path, static_cast<std::size_t>(length));
  return own.substr(0, own.rfind('/') + 1) + program;
}

}  // namespace

Peer::Peer(const std::string& program, const std::string& preload)
    : name_(program + (preload.empty() ? "" : " with " + preload)) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
  socket_ = ends[0];

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Where the end has that number already, dup2 would leave it to be closed.
  const int end = ends[1] == kPeerSocket ? dup(ends[1]) : ends[1];
  posix_spawn_file_actions_adddup2(&actions, end, kPeerSocket);

  const std::string path = beside_this_program(program);
  std::string preload_variable = "LD_PRELOAD=" + preload;
  std::vector<char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::strncmp(*variable, "LD_PRELOAD=", 11) != 0) environment.push_back(*variable);
  }
  if (!preload.empty()) environment.push_back(preload_variable.data());
  environment.push_back(nullptr);
  char* const arguments[] = {const_cast<char*>(path.c_str()), nullptr};
  errno = posix_spawn(&process_, path.c_str(), &actions, nullptr, arguments, environment.data());
  if (errno != 0) fail(path);
  posix_spawn_file_actions_destroy(&actions);
  if (end != ends[1]) close(end);
  close(ends[1]);
}

Peer::~Peer() {
  close(socket_);
  waitpid(process_, nullptr, 0);
}

double Peer::ask(const std::string& order) const {
  double answer = 0;
  if (send(socket_, order.data(), order.size(), MSG_NOSIGNAL) < 0 ||
      recv(socket_, &answer, sizeof answer, 0) != sizeof answer) {
    std::fprintf(stderr, "%s: no answer to '%s'\n", name_.c_str(), order.c_str());
    std::exit(1);
  }
  return answer;
}

void serve(const std::function<double(const std::string&)>& carry_out) {
  char order[kLongestOrder];
  for (;;) {
    const ssize_t length = recv(kPeerSocket, order, sizeof order, 0);
    if (length < 0 && errno == ENOTSOCK) {
      std::fprintf(stderr, "this program is started by other benchmarks only\n");
      std::exit(2);
    }
    if (length <= 0) return;
    const double answer = carry_out(std::string(order, static_cast<std::size_t>(length)));
    if (send(kPeerSocket, &answer, sizeof answer, MSG_NOSIGNAL) < 0) return;
  }
}

void stay_on_this_core() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) std::perror("sched_setaffinity (going on)");
}

}  // namespace bench
