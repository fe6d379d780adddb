// What a keeper does for clients that are none, and clients with who is no keeper.
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/test_child.h"
#include "runtime/keeper/test_keeper.h"

namespace roam::runtime {
namespace {

class Raw {
 public:
  explicit Raw(const std::string& folder) {
    socket_.reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    socklen_t bytes = 0;
    const sockaddr_un address = keeper_address(keeper_name(folder, 0), &bytes);
    EXPECT_EQ(connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), bytes), 0);
  }
  // What is answered; "closed".
  std::string ask(const KeeperRequest& request, const std::string& texts, int fd = -1,
                  std::size_t head_bytes = sizeof(KeeperRequest)) {
    if (!send_packet(socket_.get(), &request, head_bytes, texts, fd, until())) return "closed";
    char buffer[kMostKeeperBytes];
    std::size_t bytes = 0;
    OwnedFd came;
    if (!receive_packet(socket_.get(), buffer, &bytes, &came, until())) return strerror(errno);
    if (bytes == 0) return "closed";
    KeeperReply reply;
    std::memcpy(&reply, buffer, sizeof reply);
    return (reply.good != 0 ? "good" : "not: ") +
           std::string(buffer + sizeof reply, bytes - sizeof reply);
  }
  static std::int64_t until() { return now_ns() + 60'000'000'000; }

 private:
  OwnedFd socket_;
};

KeeperRequest request(KeeperCall call, const std::string& name, const std::string& from = {}) {
  return {KeeperRequest::kMagic,
          KeeperRequest::kVersion,
          call,
          1,
          1,
          static_cast<std::uint32_t>(name.size()),
          static_cast<std::uint32_t>(from.size())};
}

TEST_F(Keeper, RefusesWhoComesForAnotherFolderOrFromAnotherVersion) {
  KeeperClient client;
  ASSERT_TRUE(start(client));
  EXPECT_EQ(Raw(folder_).ask(request(KeeperCall::kHello, "/else"), "/else"),
            "not: it keeps those of " + folder_);
  KeeperRequest other = request(KeeperCall::kHello, folder_);
  other.version = 99;
  EXPECT_EQ(Raw(folder_).ask(other, folder_), "not: it is of another version of Roam");
  EXPECT_EQ(Raw(folder_).ask(request(KeeperCall::kPut, "piece-0"), "piece-0"), "closed");
}

TEST_F(Keeper, APutThatBreaksOffLeavesNothing) {
  KeeperClient client;
  ASSERT_TRUE(start(client));
  const OwnedFd memory(memory_of("bytes"));
  const KeeperRequest put_it = request(KeeperCall::kPut, "piece-0");
  for (std::size_t bytes = 0; bytes < sizeof put_it + 7; ++bytes) {
    Raw raw(folder_);
    ASSERT_EQ(raw.ask(request(KeeperCall::kHello, folder_), folder_), "good");
    const std::size_t head = std::min(bytes, sizeof put_it);
    EXPECT_EQ(raw.ask(put_it, std::string("piece-0").substr(0, bytes - head), memory.get(), head),
              "closed")
        << bytes;
  }
  {
    Raw raw(folder_);
    ASSERT_EQ(raw.ask(request(KeeperCall::kHello, folder_), folder_), "good");
    EXPECT_EQ(raw.ask(put_it, "piece-0"),
              "not: no memory came with it: it has too many descriptors");
  }
  std::vector<KeeperClient::Kept> all;
  EXPECT_TRUE(client.list(&all)) << client.error();
  EXPECT_TRUE(all.empty());
}

TEST_F(Keeper, OthersHaveNoPartInIt) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  const std::string name = keeper_name(folder_, 0);
  KeeperClient client;
  ASSERT_TRUE(start(client));
  int status = 0;
  const std::string said = written_by_child(
      [&](int fd) {
        if (setuid(65534) != 0) return;
        const OwnedFd one(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        socklen_t bytes = 0;
        const sockaddr_un address = keeper_address(name, &bytes);
        char buffer[kMostKeeperBytes];
        std::size_t got = 1;
        OwnedFd came;
        const KeeperRequest hello = request(KeeperCall::kHello, folder_);
        const bool refused =
            connect(one.get(), reinterpret_cast<const sockaddr*>(&address), bytes) == 0 &&
            (!send_packet(one.get(), &hello, sizeof hello, folder_, -1, Raw::until()) ||
             !receive_packet(one.get(), buffer, &got, &came, Raw::until()) || got == 0);
        if (write(fd, refused ? "y" : "n", 1) != 1) return;
      },
      &status);
  EXPECT_EQ(said, "y");
  EXPECT_EQ(status, 0);
}

TEST_F(Keeper, ANameThatAnotherUserHasIsNotUsed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  const std::string name = keeper_name(folder_, 0);
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const OwnedFd one(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    socklen_t bytes = 0;
    const sockaddr_un address = keeper_address(name, &bytes);
    const bool good = setuid(65534) == 0 &&
                      bind(one.get(), reinterpret_cast<const sockaddr*>(&address), bytes) == 0 &&
                      listen(one.get(), 1) == 0 && write(ready[1], "y", 1) == 1;
    if (!good) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  char word;
  ASSERT_EQ(read(ready[0], &word, 1), 1);
  close(ready[0]);
  KeeperClient client;
  EXPECT_FALSE(client.connect_or_start(folder_, 0, program_));
  EXPECT_EQ(client.error(), "the keeper of checkpoints: who has its name belongs to another user");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

// Anybody can have names that look as if keepers had them, and take no connection.
TEST_F(Keeper, NamesOfStrangersCostNoTime) {
  KeeperClient client;
  ASSERT_TRUE(start(client, 40));
  std::vector<OwnedFd> listeners, waiting;
  for (int node = 0; node < 40; ++node) {
    listeners.emplace_back(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    socklen_t bytes = 0;
    const sockaddr_un address = keeper_address(keeper_name(folder_, node), &bytes);
    const auto* const at = reinterpret_cast<const sockaddr*>(&address);
    ASSERT_EQ(bind(listeners.back().get(), at, bytes), 0);
    ASSERT_EQ(listen(listeners.back().get(), 0), 0);
    int error = 0;
    while (error == 0) {
      waiting.emplace_back(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      error = connect(waiting.back().get(), at, bytes) == 0 ? 0 : errno;
    }
    ASSERT_EQ(error, EAGAIN);
  }
  std::vector<std::string> troubles;
  const std::int64_t begin = now_ns();
  auto reached = reach_keepers(folder_, &troubles);
  EXPECT_LT(now_ns() - begin, 60'000'000'000);  // and not 40 times five seconds
  EXPECT_EQ(reached.size(), 1u);
  ASSERT_TRUE(reached.contains(40));
  EXPECT_TRUE(put(*reached[40], 1, "piece-0", "bytes")) << reached[40]->error();
  EXPECT_EQ(troubles.size(), 40u);
}

}  // namespace
}  // namespace roam::runtime
