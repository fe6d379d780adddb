#include "runtime/keeper/keeper_client.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "base/os/give_core.h"
#include "base/text.h"
#include "runtime/keeper/keeper_store.h"
#include "runtime/keeper/keeper_wire.h"

namespace roam::runtime {
namespace {

constexpr long kPauseUs = 1'000;

// Waits for the program's first process, which ends when the keeper listens, or when it cannot.
bool await_end(pid_t child, std::int64_t until_ns, int* status) {
  for (;;) {
    const pid_t ended = waitpid(child, status, WNOHANG);
    if (ended == child) return true;
    if (ended < 0 && errno != EINTR) {
      *status = 0;  // the program does not want to hear of its children
      return true;
    }
    if (now_ns() >= until_ns) return false;
    os::stop_for_us(kPauseUs);
  }
}

// Nothing of our environment: it has names by which `roam run` and launchers find the job's
// processes, to end them. What it says on its standard error is our `why`.
bool start(const std::string& program, const std::string& folder, int node, int hold_s,
           std::int64_t until_ns, std::string* why) {
  const OwnedFd said(memory_of(""));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  if (said.get() >= 0) posix_spawn_file_actions_adddup2(&actions, said.get(), 2);
  std::string words[] = {program, "--hold", std::to_string(hold_s), folder, std::to_string(node)};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(),
                       words[3].data(), words[4].data(), nullptr};
  const char* libraries = getenv("LD_LIBRARY_PATH");
  std::string path = text("LD_LIBRARY_PATH=%s", libraries != nullptr ? libraries : "");
  char* environment[] = {libraries != nullptr ? path.data() : nullptr, nullptr};
  pid_t child = -1;
  const int error = posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    *why = text("%s cannot be started: %s", program.c_str(), strerror(error));
    return false;
  }
  int status = 0;
  if (!await_end(child, until_ns, &status)) {
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    *why = program + " does not come up";
    return false;
  }
  if (status == 0) return true;
  std::string its;
  if (said.get() < 0 || !text_of(said.get(), &its) || its.empty())
    its = text("%s ended with status 0x%x", program.c_str(), static_cast<unsigned>(status));
  while (!its.empty() && its.back() == '\n') its.pop_back();
  *why = its;
  return false;
}

// Whether two names are of one folder that is reached by two ways, or was called otherwise. A copy
// has the same name for keepers in it, and is another job's.
bool same_by_another_way(const std::string& mine, const std::string& theirs) {
  const std::string id = keeper_id(mine);
  if (id == mine || keeper_id(theirs) != id) return false;
  struct stat here {
  }, there{};
  if (stat(mine.substr(0, mine.rfind('/')).c_str(), &here) != 0) return false;
  if (stat(theirs.substr(0, theirs.rfind('/')).c_str(), &there) != 0) return errno == ENOENT;
  return here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

}  // namespace

// One packet there, one back.
struct KeeperClient::Call {
  KeeperCall what;
  std::uint64_t number = 0;
  std::string_view name = {};
  int fd = -1;  // that goes with it
  std::uint64_t from_number = 0;
  std::string_view from_name = {};
  OwnedFd came = OwnedFd();  // with the answer
  bool closed = false;       // instead of an answer
  std::string said = {};     // in it
};

void KeeperClient::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

bool KeeperClient::refuse(const std::string& why) {
  error_ = "the keeper of checkpoints: " + why;
  return false;
}

bool KeeperClient::lose(const std::string& why) {
  close();
  return refuse(why);
}

bool KeeperClient::ask(Call& call, std::int64_t until_ns) {
  error_.clear();
  lacked_ = false;
  if (fd_ < 0) return refuse("it is not connected");
  const KeeperRequest request{KeeperRequest::kMagic,
                              KeeperRequest::kVersion,
                              call.what,
                              call.number,
                              call.from_number,
                              static_cast<std::uint32_t>(call.name.size()),
                              static_cast<std::uint32_t>(call.from_name.size())};
  const std::string texts = std::string(call.name) + std::string(call.from_name);
  char buffer[kMostKeeperBytes];
  std::size_t bytes = 0;
  if (sizeof request + texts.size() > sizeof buffer) return refuse("a name is too long");
  if (!send_packet(fd_, &request, sizeof request, texts, call.fd, until_ns) ||
      !receive_packet(fd_, buffer, &bytes, &call.came, until_ns)) {
    const int error = errno;
    call.closed = error == EPIPE || error == ECONNRESET;
    if (call.closed) return lose("it is gone");
    return lose(error == ETIMEDOUT ? text("no answer for %d ms", patience_ms_) : strerror(error));
  }
  KeeperReply reply;
  if (bytes == 0) {
    call.closed = true;
    return lose("it is gone");
  }
  if (bytes < sizeof reply) return lose("what it says is no answer");
  std::memcpy(&reply, buffer, sizeof reply);
  if (reply.magic != KeeperRequest::kMagic) return lose("what it says is no answer");
  call.said.assign(buffer + sizeof reply, bytes - sizeof reply);
  if (reply.good != 0) return true;
  return reply.version == KeeperRequest::kVersion ? refuse(call.said) : lose(call.said);
}

bool KeeperClient::ask(Call& call) { return ask(call, now_ns() + patience_ns()); }

// ---- connecting ----

KeeperClient::Found KeeperClient::look_for(const std::string& folder, int node,
                                           std::int64_t until_ns, std::int64_t busy_until_ns) {
  close();
  fd_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  socklen_t bytes = 0;
  const sockaddr_un address = keeper_address(keeper_name(folder, node), &bytes);
  // EAGAIN: more connect than it has accepted yet.
  while (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), bytes) != 0) {
    const int error = errno;
    if (fd_ >= 0 && error == EINTR) continue;
    if (fd_ >= 0 && error == EAGAIN && now_ns() < busy_until_ns) {
      os::stop_for_us(kPauseUs);
      continue;
    }
    lose(error == EAGAIN ? text("no answer for %d ms", patience_ms_) : strerror(error));
    if (error == EAGAIN) return Found::kBusy;
    if (error != ECONNREFUSED) return Found::kFails;
    refuse(text("there is none for node %d of %s", node, folder.c_str()));
    return Found::kNobody;
  }
  if (!peer_is_ours(fd_)) {
    lose("who has its name belongs to another user");
    return Found::kFails;
  }
  return greet(folder, until_ns);
}

KeeperClient::Found KeeperClient::greet(const std::string& folder, std::int64_t until_ns) {
  Call hello{KeeperCall::kHello, 0, folder};
  if (ask(hello, until_ns)) return Found::kKeeper;
  const std::string theirs = hello.said.starts_with(kKeepsThoseOf)
                                 ? hello.said.substr(kKeepsThoseOf.size())
                                 : std::string();
  Call again{KeeperCall::kHello, 0, theirs};
  if (connected() && same_by_another_way(folder, theirs) && ask(again, until_ns))
    return Found::kKeeper;
  if (hello.closed || again.closed) return Found::kGoing;
  close();
  return Found::kFails;
}

bool KeeperClient::connect(const std::string& folder, int node) {
  const std::int64_t until = now_ns() + patience_ns();
  return look_for(keeper_folder(folder), node, until, until) == Found::kKeeper;
}

bool KeeperClient::connect(const std::string& folder, int node, bool* busy) {
  const std::int64_t now = now_ns();
  const Found found = look_for(keeper_folder(folder), node, now + patience_ns(), now);
  *busy = found == Found::kBusy;
  return found == Found::kKeeper;
}

bool KeeperClient::connect_or_start(const std::string& folder, int node, const std::string& program,
                                    int hold_s) {
  const std::int64_t until = now_ns() + patience_ns();
  const std::string whole = keeper_folder(folder);
  for (;;) {
    const Found found = look_for(whole, node, until, until);
    if (found == Found::kKeeper) return true;
    if (found == Found::kFails || found == Found::kBusy || now_ns() >= until) return false;
    std::string why;
    // Who comes second finds the name taken, and that the first listens in a moment.
    if (found == Found::kNobody && !start(program, whole, node, hold_s, until, &why))
      return refuse(why);
    if (found == Found::kGoing) os::stop_for_us(kPauseUs);
  }
}

// ---- what is asked ----

bool KeeperClient::put(std::uint64_t number, const std::string& name, int fd) {
  Call call{KeeperCall::kPut, number, name, fd};
  return ask(call);
}

bool KeeperClient::link(std::uint64_t number, const std::string& name, std::uint64_t from_number,
                        const std::string& from_name) {
  Call call{KeeperCall::kLink, number, name, -1, from_number, from_name};
  return ask(call);
}

bool KeeperClient::commit(std::uint64_t number, std::string_view manifest) {
  const OwnedFd memory(memory_of(manifest));
  if (memory.get() < 0) return refuse(text("no memory for a manifest: %s", strerror(errno)));
  Call call{KeeperCall::kCommit, number, {}, memory.get()};
  return ask(call);
}

bool KeeperClient::settle(std::uint64_t number) {
  Call call{KeeperCall::kSettle, number};
  return ask(call);
}

bool KeeperClient::list(std::vector<Kept>* kept) {
  kept->clear();
  Call call{KeeperCall::kList};
  if (!ask(call)) {
    lacked_ = connected();
    return false;
  }
  lacked_ = call.came.get() < 0;
  std::string packed;
  if (call.came.get() >= 0 && text_of(call.came.get(), &packed, kMostListBytes) &&
      unpack_kept(packed, kept))
    return true;
  kept->clear();
  return lose("what it says is no list");
}

int KeeperClient::get(std::uint64_t number, const std::string& name) {
  Call call{KeeperCall::kGet, number, name};
  if (!ask(call)) {
    lacked_ = connected() && call.said != kNoSuchPiece;
    return -1;
  }
  lacked_ = call.came.get() < 0;
  if (lacked_) lose("no memory came with its answer: there is no descriptor for it");
  return call.came.release();
}

bool KeeperClient::forget() {
  Call call{KeeperCall::kForget};
  const bool told = ask(call);
  close();
  return told;
}

bool KeeperClient::leave(bool* ends) {
  Call call{KeeperCall::kLeave};
  const bool told = ask(call);
  close();
  *ends = told && call.said == kItEnds;
  return told;
}

}  // namespace roam::runtime
