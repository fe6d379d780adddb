// What a keeper does for clients.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "runtime/keeper/test_keeper.h"

namespace roam::runtime {
namespace {

// What has been committed, of what it holds.
std::vector<KeeperClient::Kept> committed_of(KeeperClient& client) {
  std::vector<KeeperClient::Kept> all;
  EXPECT_TRUE(client.list(&all)) << client.error();
  std::erase_if(all, [](const KeeperClient::Kept& kept) { return !kept.committed; });
  return all;
}

TEST_F(Keeper, HoldsWhatItIsGivenForWhoComesLater) {
  const std::string piece(300'000, 'p'), other("other");
  {
    KeeperClient client;
    ASSERT_TRUE(start(client));
    ASSERT_TRUE(put(client, 1, "piece-0", piece)) << client.error();
    ASSERT_TRUE(put(client, 1, "piece-3", other)) << client.error();
    EXPECT_TRUE(committed_of(client).empty());
    ASSERT_TRUE(client.commit(1, "the manifest")) << client.error();
  }
  KeeperClient client;
  ASSERT_TRUE(client.connect(folder_, 0)) << client.error();
  const auto all = committed_of(client);
  ASSERT_EQ(all.size(), 1u);
  const KeeperClient::Kept& kept = all.front();
  EXPECT_EQ(kept.number, 1u);
  EXPECT_EQ(kept.manifest, "the manifest");
  EXPECT_EQ(kept.pieces, (std::vector<std::string>{"piece-0", "piece-3"}));
  EXPECT_EQ(get(client, 1, "piece-0"), piece);
  EXPECT_EQ(get(client, 1, "piece-3"), other);
  EXPECT_EQ(get(client, 1, "piece-1"), "none: the keeper of checkpoints: it has no such piece");
  EXPECT_TRUE(client.connected());
}

TEST_F(Keeper, GivesPiecesToBeReadOnly) {
  KeeperClient client;
  ASSERT_TRUE(start(client));
  ASSERT_TRUE(put(client, 1, "piece-0", "bytes"));
  const OwnedFd memory(client.get(1, "piece-0"));
  ASSERT_GE(memory.get(), 0) << client.error();
  EXPECT_EQ(write(memory.get(), "x", 1), -1);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0), MAP_FAILED);
  EXPECT_EQ(fcntl(memory.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST_F(Keeper, DropsTheRestWhenANewerOneIsSettled) {
  KeeperClient client;
  ASSERT_TRUE(start(client));
  ASSERT_TRUE(put(client, 1, "piece-0", "first"));
  ASSERT_TRUE(client.commit(1, "one"));
  ASSERT_TRUE(put(client, 2, "piece-0", "second"));
  ASSERT_TRUE(client.link(2, "base-000001-0", 1, "piece-0")) << client.error();
  EXPECT_FALSE(client.link(2, "base", 1, "piece-9"));
  EXPECT_TRUE(client.connected());
  std::vector<KeeperClient::Kept> all;
  ASSERT_TRUE(client.list(&all));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(all[0].committed);
  EXPECT_FALSE(all[1].committed);
  ASSERT_TRUE(client.commit(2, std::string(3'000'000, 'm')));
  ASSERT_TRUE(client.list(&all));
  EXPECT_EQ(all.size(), 2u) << "others may have the first one only";
  EXPECT_EQ(committed_of(client).back().number, 2u);
  ASSERT_TRUE(client.settle(2));
  ASSERT_TRUE(client.list(&all));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].manifest.size(), 3'000'000u);
  EXPECT_EQ(get(client, 2, "base-000001-0"), "first");
  EXPECT_LT(client.get(1, "piece-0"), 0);
}

TEST_F(Keeper, OutlivesAKillOfItsStartersGroup) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);  // not closed by exec
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    KeeperClient client;
    const bool good = start(client) && put(client, 5, "piece-0", "what is left") &&
                      client.commit(5, "five") && write(ends[1], "g", 1) == 1;
    if (!good) _exit(1);
    for (;;) pause();
  }
  close(ends[1]);
  char word = 0;
  ASSERT_EQ(read(ends[0], &word, 1), 1);
  ASSERT_EQ(kill(-child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  // Nobody else has the pipe: a launcher that waits for the end of what its ranks say sees it.
  EXPECT_EQ(read(ends[0], &word, 1), 0);
  close(ends[0]);

  KeeperClient client;
  ASSERT_TRUE(client.connect(folder_, 0)) << client.error();
  EXPECT_EQ(get(client, 5, "piece-0"), "what is left");
  const pid_t keeper = process();
  EXPECT_NE(getpgid(keeper), child);
  EXPECT_NE(getpgid(keeper), getpgid(0));
  EXPECT_NE(getsid(keeper), getsid(0));
  EXPECT_NE(getsid(keeper), keeper);  // it can get no terminal
}

TEST_F(Keeper, HasNothingOfItsStarters) {
  setenv("ROAM_RECORD", "/some/record", 1);
  const OwnedFd file(open("/proc/self/status", O_RDONLY));  // not closed by exec
  KeeperClient client;
  ASSERT_TRUE(start(client));
  unsetenv("ROAM_RECORD");
  ASSERT_TRUE(put(client, 1, "piece-0", "bytes"));
  const std::string own = "/proc/" + std::to_string(process());
  EXPECT_EQ(text_in(own + "/environ").find("ROAM_"), std::string::npos);
  EXPECT_EQ(std::filesystem::read_symlink(own + "/cwd"), "/");
  int count = 0;
  for (const auto& one : std::filesystem::directory_iterator(own + "/fd")) {
    const std::string what = std::filesystem::read_symlink(one.path());
    EXPECT_TRUE(what == "/dev/null" || what.starts_with("socket:") || what.starts_with("/memfd:"))
        << what;
    ++count;
  }
  EXPECT_EQ(count, 3 + 2 + 1);  // standard ones, sockets, the piece
}

TEST_F(Keeper, SignalsDoNotEndIt) {
  KeeperClient client;
  ASSERT_TRUE(start(client));
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM})
    ASSERT_EQ(kill(process(), signal), 0);
  EXPECT_TRUE(put(client, 1, "piece-0", "bytes")) << client.error();
}

TEST_F(Keeper, OfManyThatStartOneAllGetTheSame) {
  constexpr int kStarters = 12;
  std::vector<pid_t> children;
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  for (int i = 0; i < kStarters; ++i) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    close(gate[1]);
    char word;
    if (read(gate[0], &word, 1) != 0) _exit(2);  // all at once, when the last writer is gone
    KeeperClient client;
    const bool good = start(client) && put(client, 1, "piece-" + std::to_string(i), "bytes");
    _exit(good ? 0 : 1);
  }
  close(gate[0]);
  close(gate[1]);
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_NE(process(), 0);
  KeeperClient client;
  ASSERT_TRUE(client.connect(folder_, 0)) << client.error();
  std::vector<KeeperClient::Kept> all;
  ASSERT_TRUE(client.list(&all));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].pieces.size(), static_cast<std::size_t>(kStarters));
}

TEST_F(Keeper, EachNodeHasItsOwn) {
  KeeperClient zero, seven;
  ASSERT_TRUE(start(zero, 0) && start(seven, 7));
  ASSERT_TRUE(put(zero, 1, "piece-0", "zero"));
  EXPECT_LT(seven.get(1, "piece-0"), 0);
  EXPECT_EQ(keepers_of(folder_), (std::vector<int>{0, 7}));
  EXPECT_EQ(keepers_of(folder_ + "/"), (std::vector<int>{0, 7}));
  EXPECT_TRUE(keepers_of(folder_ + "x").empty());
  EXPECT_EQ(keepers_beginning(folder_), (std::vector<KeeperPlace>{{folder_, 0}, {folder_, 7}}));
  EXPECT_EQ(keepers_beginning(folder_.substr(0, folder_.size() - 1)), keepers_beginning(folder_));
  EXPECT_TRUE(keepers_beginning(folder_ + "x").empty());
  KeeperClient nobody;
  EXPECT_FALSE(nobody.connect(folder_, 1));
  EXPECT_EQ(nobody.error(), "the keeper of checkpoints: there is none for node 1 of " + folder_);
}

TEST_F(Keeper, EndsWhenTheJobHasEndedWell) {
  KeeperClient client, other;
  ASSERT_TRUE(start(client) && start(other));
  const pid_t first = process();
  EXPECT_TRUE(client.forget()) << client.error();
  EXPECT_FALSE(client.connected());
  // Its name is free at once.
  KeeperClient next;
  ASSERT_TRUE(start(next));
  EXPECT_TRUE(soon([&] { return kill(first, 0) != 0; }));
  EXPECT_FALSE(put(other, 1, "piece-0", "bytes"));
  EXPECT_EQ(other.error(), "the keeper of checkpoints: it is gone");
  EXPECT_TRUE(put(next, 1, "piece-0", "bytes"));
}

TEST_F(Keeper, EndsWhenTheLastOfTheJobLeaves) {
  KeeperClient client, other;
  ASSERT_TRUE(start(client) && start(other));
  ASSERT_TRUE(put(other, 1, "piece-0", "bytes"));
  bool ends = true;
  EXPECT_TRUE(client.leave(&ends)) << client.error();
  EXPECT_FALSE(ends);
  EXPECT_FALSE(client.connected());
  KeeperClient third;
  ASSERT_TRUE(third.connect(folder_, 0)) << third.error();
  EXPECT_TRUE(third.leave(&ends));
  EXPECT_FALSE(ends);
  EXPECT_EQ(get(other, 1, "piece-0"), "bytes");
  EXPECT_TRUE(other.leave(&ends));
  EXPECT_TRUE(ends);
  EXPECT_TRUE(soon([this] { return processes().empty(); }));
}

TEST_F(Keeper, WhoGoesWithoutAWordMayComeAgain) {
  KeeperClient client;
  ASSERT_TRUE(start(client));
  ASSERT_TRUE(put(client, 1, "piece-0", "bytes"));
  bool ends = true;
  {
    KeeperClient other;
    ASSERT_TRUE(other.connect(folder_, 0));
    EXPECT_TRUE(other.leave(&ends));
  }
  EXPECT_FALSE(ends);
  client.close();
  ASSERT_TRUE(client.connect(folder_, 0)) << client.error();
  EXPECT_EQ(get(client, 1, "piece-0"), "bytes");
}

TEST_F(Keeper, EndsWhenNobodyHasBeenConnectedForAWhile) {
  KeeperClient client;
  ASSERT_TRUE(start(client, 0, 1));
  ASSERT_TRUE(put(client, 1, "piece-0", "bytes"));
  usleep(1'500'000);
  EXPECT_EQ(get(client, 1, "piece-0"), "bytes");
  client.close();
  const std::int64_t closed = now_ns();
  EXPECT_TRUE(soon([this] { return processes().empty(); }));
  EXPECT_GT(now_ns() - closed, 900'000'000);
}

TEST_F(Keeper, OneThatHangsCostsTheTimeThatWasSaid) {
  KeeperClient client;
  ASSERT_TRUE(start(client));
  const pid_t keeper = process();
  kill(keeper, SIGSTOP);
  ASSERT_TRUE(soon([&] {
    return text_in("/proc/" + std::to_string(keeper) + "/stat").find(") T ") != std::string::npos;
  }));
  client.set_patience_ms(100);
  EXPECT_FALSE(put(client, 1, "piece-0", "bytes"));
  EXPECT_EQ(client.error(), "the keeper of checkpoints: no answer for 100 ms");
  EXPECT_FALSE(client.connected());
  EXPECT_FALSE(client.commit(1, "m"));
  EXPECT_EQ(client.error(), "the keeper of checkpoints: it is not connected");
  EXPECT_FALSE(client.connect_or_start(folder_, 0, program_));
  EXPECT_EQ(client.error(), "the keeper of checkpoints: no answer for 100 ms");
  EXPECT_EQ(processes().size(), 1u);
}

// The checkpoint of who was not answered has failed by then, and a newer one is being made.
TEST_F(Keeper, ItDoesNothingForWhoWaitsNoLonger) {
  KeeperClient client, late;
  ASSERT_TRUE(start(client) && start(late));  // who came first is served first
  const pid_t keeper = process();
  kill(keeper, SIGSTOP);
  ASSERT_TRUE(soon([&] {
    return text_in("/proc/" + std::to_string(keeper) + "/stat").find(") T ") != std::string::npos;
  }));
  late.set_patience_ms(100);
  EXPECT_FALSE(put(late, 1, "piece-1", "late"));
  std::thread wakes([keeper] {
    usleep(200'000);
    kill(keeper, SIGCONT);
  });
  EXPECT_TRUE(put(client, 3, "piece-0", "bytes"));
  wakes.join();
  EXPECT_TRUE(put(client, 3, "piece-1", "bytes"));
  EXPECT_TRUE(client.commit(3, "m"));
  EXPECT_EQ(get(client, 3, "piece-0"), "bytes");
  EXPECT_EQ(get(client, 3, "piece-1"), "bytes");
}

TEST_F(Keeper, WhoLosesItsKeeperIsToldAndCanHaveAnother) {
  KeeperClient client;
  ASSERT_TRUE(start(client));
  ASSERT_TRUE(put(client, 1, "piece-0", "bytes"));
  kill(process(), SIGKILL);
  ASSERT_TRUE(soon([this] { return processes().empty(); }));
  EXPECT_FALSE(client.commit(1, "m"));
  EXPECT_EQ(client.error(), "the keeper of checkpoints: it is gone");
  EXPECT_FALSE(client.connected());
  ASSERT_TRUE(start(client));
  std::vector<KeeperClient::Kept> all;
  EXPECT_TRUE(client.list(&all));
  EXPECT_TRUE(all.empty());
}

TEST_F(Keeper, WhoIsKilledBetweenPutsLeavesNothingThatCountsAsWhole) {
  const pid_t child = fork();
  if (child == 0) {
    KeeperClient client;
    if (!start(client) || !put(client, 1, "piece-0", "bytes")) _exit(1);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  KeeperClient client;
  ASSERT_TRUE(client.connect(folder_, 0)) << client.error();
  EXPECT_TRUE(committed_of(client).empty());
}

TEST_F(Keeper, TakesMemoryOnly) {
  KeeperClient client;
  ASSERT_TRUE(start(client));
  const OwnedFd file(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(client.put(1, "piece-0", file.get()));
  EXPECT_EQ(client.error(), "the keeper of checkpoints: it is no object of memfd_create");
  EXPECT_TRUE(put(client, 1, "piece-0", "bytes")) << client.error();
  EXPECT_FALSE(put(client, 1, std::string(20'000, 'n'), "bytes"));
  EXPECT_EQ(client.error(), "the keeper of checkpoints: a name is too long");
  EXPECT_TRUE(client.connected());
}

// ---- the program ----

TEST_F(Keeper, WhyItCannotBeStartedIsSaid) {
  KeeperClient client;
  EXPECT_FALSE(client.connect_or_start(folder_, 0, "/nowhere/roam-keeper"));
  EXPECT_EQ(client.error(),
            "the keeper of checkpoints: /nowhere/roam-keeper cannot be started: No such file or "
            "directory");
  EXPECT_FALSE(client.connect_or_start(folder_, -1, program_));
  EXPECT_NE(client.error().find("usage: roam-keeper"), std::string::npos) << client.error();
  client.set_patience_ms(200);
  EXPECT_FALSE(client.connect_or_start(folder_, 0, "/bin/true"));  // it never listens
}

// Whoever starts it takes status 0 for its word that it listens.
TEST_F(Keeper, WhereAProcessCannotBeMadeItSaysSo) {
  const std::string library = std::filesystem::absolute(getenv("FORKS_FAIL"));
  for (const int which : {1, 2}) {
    const std::string said = folder_ + ".said";
    const std::string command = "FORK_FAILS=" + std::to_string(which) + " LD_PRELOAD=" + library +
                                " " + program_ + " " + folder_ + " 0 2>" + said;
    const int status = system(command.c_str());
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << which << ": " << status;
    EXPECT_EQ(text_in(said),
              "roam-keeper: no process can be made: Resource temporarily unavailable\n");
    EXPECT_TRUE(soon([this] { return processes().empty(); }));
    std::filesystem::remove(said);
  }
  KeeperClient client;
  EXPECT_TRUE(start(client));  // the name is free
}

TEST_F(Keeper, IsFoundByNameOrBesideTheProgram) {
  std::string why;
  EXPECT_EQ(find_keeper(program_, &why), program_);
  EXPECT_EQ(find_keeper("/nowhere", &why), "");
  EXPECT_EQ(why, "ROAM_KEEPER=/nowhere: it is no program that can be run");
  // Tests and the program are built into the same folder.
  EXPECT_EQ(std::filesystem::path(find_keeper("", &why)).filename(), "roam-keeper") << why;
}

}  // namespace
}  // namespace roam::runtime
