// A job of many kinds of threads that makes checkpoints on its way and says in the end what it has
// computed: the same whether it was checkpointed, restarted elsewhere, or neither.
//
//   [ROUNDS=60] [MAPS=ADDRESS] walk [FOLDER [CHECKPOINTS]]
//
// MAPS: a page is mapped there before roam::run.
#include <sys/mman.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/random.h"

namespace roam_test {
namespace {

constexpr int kWalkers = 23, kMembers = 11;

// ROUNDS of the environment.
int rounds() {
  const char* given = std::getenv("ROUNDS");
  return given != nullptr ? std::atoi(given) : 60;
}

// MAPS of the environment.
bool map_what_is_given() {
  const char* given = std::getenv("MAPS");
  if (given == nullptr) return true;
  void* const wanted = reinterpret_cast<void*>(std::strtoull(given, nullptr, 0));
  return mmap(wanted, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
         wanted;
}

void say(const std::string& line) { std::fputs((line + "\n").c_str(), stdout); }

std::uint64_t add(std::uint64_t sum, std::uint64_t value) { return mix(sum * 31 + value); }

// Pointers into its own stack and heap, an exception that is being handled, and sleeps.
std::uint64_t walk(int number) {
  const int all_rounds = rounds();
  std::map<std::uint64_t, std::unique_ptr<std::string>> heap;
  std::uint64_t sum = static_cast<std::uint64_t>(number);
  std::uint64_t* const at = &sum;
  for (int round = 0; round < all_rounds; ++round) {
    try {
      throw std::runtime_error("round " + std::to_string(round));
    } catch (const std::runtime_error& error) {
      roam::this_thread::yield();
      heap[add(*at, static_cast<std::uint64_t>(round))] =
          std::make_unique<std::string>(std::string(error.what()) + std::string(number * 50, 'x'));
      if (round % 9 == number % 9) roam::this_thread::sleep_for(std::chrono::milliseconds(1));
      *at = add(*at, heap.size() + std::string(error.what()).size());
    }
    if (heap.size() > 20) heap.erase(heap.begin());
    for (const auto& [key, text] : heap) *at = add(*at, key + text->size());
  }
  return *at;
}

// A consumer waits on an object in the memory of the thread that made it.
std::uint64_t pipe(int number) {
  const int all_rounds = rounds();
  roam::Channel<std::uint64_t> channel(4);
  std::uint64_t sum = 0;
  roam::Thread consumer = roam::spawn([&channel, &sum] {
    while (const std::optional<std::uint64_t> value = channel.recv()) sum = add(sum, *value);
  });
  for (int i = 0; i < 4 * all_rounds; ++i) {
    channel.send(static_cast<std::uint64_t>(number * i));
    if (i % 16 == 0) roam::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  channel.close();
  consumer.join();
  return sum;
}

// What all members have computed reaches who joins the team, in an exception.
void tell(roam::Team team, std::uint64_t sum) {
  const std::vector<std::uint64_t> sums = team.gather(0, std::vector{sum});
  if (team.index() != 0) return;
  std::string text;
  for (std::size_t i = 0; i < sums.size(); ++i)
    text += "member " + std::to_string(i) + ": " + std::to_string(sums[i]) + "\n";
  throw std::runtime_error(text);
}

// Messages short and long, received late and out of turn, and collectives whose order shows.
void be_member() {
  const int all_rounds = rounds();
  const roam::Team team = roam::Team::current();
  const int me = team.index(), n = team.size();
  const int next = (me + 1) % n, last = (me + n - 1) % n;
  std::uint64_t sum = static_cast<std::uint64_t>(me);
  double total = 0.1 * me;
  for (int round = 0; round < all_rounds; ++round) {
    std::vector<std::uint64_t> data(round % 5 == 0 ? 20'000 : 20);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = add(sum, i);
    roam::Request sent = team.isend(next, round, data);
    team.send((me + 3) % n, 1000 + round, sum);
    if (round % 4 == me % 4) roam::this_thread::sleep_for(std::chrono::microseconds(500));
    roam::Request sums = team.iallreduce(total);
    if (round >= 2) sum = add(sum, team.recv<std::uint64_t>((me + n - 3) % n, 1000 + round - 2));
    for (const std::uint64_t value : team.recv<std::vector<std::uint64_t>>(last, round))
      sum = add(sum, value);
    sums.wait();
    sent.wait();
    total = total * 1e-3 + 0.7 * me;
    sum = add(sum, static_cast<std::uint64_t>(total * 1e9));
    if (round % 10 == 9) roam::this_thread::migrate((me + round) % roam::ranks());
  }
  for (int round = all_rounds - 2; round < all_rounds; ++round)
    sum = add(sum, team.recv<std::uint64_t>((me + n - 3) % n, 1000 + round));
  const std::uint64_t all = team.allreduce(sum, [](auto a, auto b) { return a ^ b; });
  team.barrier();
  tell(team, add(sum, all));
}

void be_walker() {
  const roam::Team team = roam::Team::current();
  const int me = team.index();
  tell(team, me % 4 == 3 ? pipe(me) : walk(me));
}

int begin(const std::string& folder, int checkpoints) {
  // A block, of which most was never touched.
  const std::size_t bytes = 40 << 20;
  auto* const block = static_cast<std::uint64_t*>(iso_malloc(bytes));
  block[77] = 7;
  block[bytes / 8 - 1] = 8;
  std::vector<roam::Thread> threads;
  for (int i = 0; i < kWalkers; ++i) {
    threads.push_back(roam::spawn({.rank = i % roam::ranks()}, [i] {
      throw std::runtime_error("walker " + std::to_string(i) + ": " + std::to_string(walk(i)));
    }));
  }
  const roam::Team walkers = roam::spawn_team({.name = "walkers"}, kWalkers, be_walker);
  const roam::Team ring = roam::spawn_team({.name = "ring"}, kMembers, be_member);
  for (int i = 0; i < checkpoints; ++i) {
    roam::this_thread::sleep_for(std::chrono::milliseconds(8));
    if (roam::checkpoint(folder) == roam::Resumed::yes)
      std::fprintf(stderr, "restarted from checkpoint %d on %d ranks\n", i, roam::ranks());
  }
  // What ended before the checkpoint is said all the same.
  const auto join = [](auto t) {
    try {
      t.join();
      say("nothing was thrown");
    } catch (const std::runtime_error& error) {
      say(error.what());
    }
  };
  for (const roam::Thread t : threads) join(t);
  join(walkers);
  join(ring);
  say("block " + std::to_string(block[77] + block[bytes / 8 - 1] + block[1000]));
  iso_free(block);
  return 0;
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
#ifdef OTHER_PROGRAM
  if (std::getenv("OTHER_PROGRAM") != nullptr) return 1;  // its code differs
#endif
  if (!roam_test::map_what_is_given()) return 1;
  const std::string folder = argc > 1 ? argv[1] : "";
  const int checkpoints = argc > 2 ? std::atoi(argv[2]) : argc > 1 ? 2 : 0;
  // What a hook sets before a checkpoint is in that one already.
  static int noted = 0;
  roam::job_data("noted", noted);
  roam::on_checkpoint([] { noted = 42; });
  roam::on_restart([] {
    if (noted != 42) roam_test::say("the checkpoint has not what its hook has set");
  });
  return roam::run(argc, argv,
                   [folder, checkpoints] { return roam_test::begin(folder, checkpoints); });
}
