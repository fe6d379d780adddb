// A hook of on_checkpoint does what it may: it lets a thread go that is to move to another rank,
// wakes one, and spawns some; calls that send messages or wait refuse it by name. All of it is in
// the checkpoint, and the same is printed by the job and by a restart of it.
//
//   hook_acts FOLDER
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "roam/roam.h"

namespace {

using namespace std::chrono_literals;

// Of a rank.
std::optional<roam::Promise<int>> held;  // it has an exception of a thread's, which stays for that
roam::Channel<int>* waited_for = nullptr;
bool holds = false;
std::string not_refused;

// Large enough to go in two parts.
class Leaving {
 public:
  explicit Leaving(int number) : number_(number), words_(500'000) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] = i * 77 + number_;
  }
  bool right() const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (words_[i] != i * 77 + number_) return false;
    }
    return true;
  }

 private:
  std::uint64_t number_;
  std::vector<std::uint64_t> words_;
};

// No exception that can be copied: it lies in the thread's memory as long as somebody has it.
struct Own : std::exception {};

void leave(int number, const std::string& end) {
  const Leaving heap(number);
  held->set_exception(std::make_exception_ptr(Own()));
  holds = true;
  while (!std::filesystem::exists(end)) roam::this_thread::sleep_for(20ms);
  std::printf("the one that leaves rank %d has all it had: %d\n", number, heap.right());
}

void wait_here(int number) {
  roam::Channel<int> channel(1);
  waited_for = &channel;
  const std::optional<int> got = channel.recv();
  std::printf("the one that waits on rank %d gets %d\n", number, got.value_or(-1));
}

// What refuses a hook, or did not.
template <class Call>
void expect_refused(const char* name, Call call) {
  try {
    call();
    not_refused += std::string(name) + " is not refused; ";
  } catch (const roam::Error& error) {
    if (error.code() != roam::Errc::not_in_thread ||
        std::string(error.what()).find(name) == std::string::npos)
      not_refused += std::string(name) + ": " + error.what() + "; ";
  }
}

roam::Team team;
roam::Thread some_thread;

void act() {
  static bool acted = false;
  if (std::exchange(acted, true)) return;
  const int me = roam::rank();
  expect_refused("send", [] { team.send(0, 1, 2); });
  expect_refused("probe", [] { team.recv<int>(0, 1); });
  expect_refused("barrier", [] { team.barrier(); });
  expect_refused("spawn_team", [] { roam::spawn_team(2, [] {}); });
  expect_refused("migrate", [] { roam::migrate(some_thread, 0); });
  expect_refused("join", [] { some_thread.join(); });
  expect_refused("checkpoint", [] { roam::checkpoint("none"); });
  for (int to = 0; to < roam::ranks(); ++to) {
    roam::spawn({.rank = to}, [me, to, data = std::vector<int>(100, me)] {
      std::printf("one of the hook's of rank %d for rank %d: %d\n", me, to, data[99]);
    });
  }
  waited_for->send(1000 + me);
  held.reset();
}

int root(const std::string& folder) {
  const int n = roam::ranks();
  const std::string end = folder + "/end";
  std::vector<roam::Thread> all;
  const roam::Team made = roam::spawn_team(n, [] {});
  for (int r = 0; r < n; ++r) {
    all.push_back(roam::spawn({.rank = r}, [r] { wait_here(r); }));
    const roam::Thread leaving = roam::spawn({.rank = r}, [r, end] { leave(r, end); });
    all.push_back(leaving);
    roam::spawn({.rank = r}, [made, leaving] {
      team = made;
      some_thread = leaving;
      while (waited_for == nullptr || !holds) roam::this_thread::yield();
    }).join();
    if (n > 1) roam::migrate(leaving, (r + 1) % n);  // not before the hook lets it
  }
  const bool again = roam::checkpoint(folder) == roam::Resumed::yes;
  std::fprintf(stderr, "%s\n", again ? "goes on" : "made");
  std::ofstream(end) << "all may end";
  for (const roam::Thread t : all) t.join();
  made.join();
  for (int r = 0; r < roam::ranks() && !again; ++r) {
    roam::spawn({.rank = r}, [] { std::fputs(not_refused.c_str(), stderr); }).join();
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argv[1];
  held.emplace();
  roam::on_checkpoint(act);
  return roam::run(argc, argv, [folder] { return root(folder); });
}
