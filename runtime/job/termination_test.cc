#include "runtime/job/termination.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <random>
#include <utility>
#include <vector>

#include "base/test_bytes.h"

namespace roam::runtime {
namespace {

// A world of ranks in one process stands in for MPI. One rank's view: messages that it counts, and
// sums that end when every rank has given its share.
class Net {
 public:
  static constexpr int kWaveCounts = 8;
  using Counts = std::uint64_t[kWaveCounts];

  struct World {
    struct Wave {
      Counts sums = {};
      int joined = 0;
    };
    std::deque<Wave> waves;
    int size = 1;
  };

  explicit Net(World& world) : world_(world) {}
  int ranks() const { return world_.size; }
  std::uint64_t sent_for_threads() const { return sent_ - sent_apart_; }
  std::uint64_t received_for_threads() const { return received_ - received_apart_; }
  void start_wave(const Counts& counts) {
    if (world_.waves.size() <= wave_) world_.waves.emplace_back();
    World::Wave& wave = world_.waves[wave_];
    for (int i = 0; i < kWaveCounts; ++i) wave.sums[i] += counts[i];
    ++wave.joined;
    started_ = true;
  }
  bool wave_started() const { return started_; }
  bool wave_done(Counts& sums) {
    const World::Wave& wave = world_.waves[wave_];
    // It may take a while until a rank hears of the end.
    if (wave.joined != world_.size || late_-- > 0) return false;
    for (int i = 0; i < kWaveCounts; ++i) sums[i] = wave.sums[i];
    ++wave_;
    started_ = false;
    return true;
  }

  std::uint64_t sent_ = 0, received_ = 0, sent_apart_ = 0, received_apart_ = 0;
  int late_ = 0;

 private:
  World& world_;
  std::size_t wave_ = 0;
  bool started_ = false;
};

using Verdict = Termination::Verdict;

TEST(Termination, ARankAloneDecidesAtOnce) {
  Net::World world;
  Net mpi(world);
  Termination termination;
  termination.created = 3;
  termination.ended = 2;
  EXPECT_EQ(termination.step(mpi), Verdict::kDeadlock);
  EXPECT_EQ(termination.alive(), 1u);
  EXPECT_FALSE(termination.done());
  termination.outsiders = 2;
  EXPECT_EQ(termination.step(mpi), Verdict::kOutsiders) << "a kernel thread may wake it";
  EXPECT_EQ(termination.total_outsiders(), 2u);
  termination.ended = 3;
  termination.exit_code = 5;
  EXPECT_EQ(termination.step(mpi), Verdict::kOver);
  EXPECT_TRUE(termination.done());
  EXPECT_EQ(termination.total_exit_code(), 5);
  EXPECT_EQ(termination.step(mpi), Verdict::kOver) << "and stays over";
}

// Ranks whose threads work, make others there or elsewhere, move, wait for messages, and end.
// Nothing is known of the others but through messages that take their time.
class Simulation {
 public:
  Simulation(std::uint64_t seed, int ranks, bool deadlocks, bool asks = false)
      : random_(seed), deadlocks_(deadlocks), asks_(asks) {
    world_.size = ranks;
    for (int i = 0; i < ranks; ++i) ranks_.emplace_back(world_);
    ranks_[0].running = 1;
    ranks_[0].termination.created = 1;
    ranks_.back().termination.exit_code = 7;
  }

  // Runs until every rank has its verdict. Stops the test if one comes too soon, is wrong, or never
  // comes.
  void run() {
    std::size_t decided = 0;
    std::vector<bool> has_verdict(ranks_.size());
    for (int step = 0; decided < ranks_.size(); ++step) {
      ASSERT_LT(step, 2'000'000) << "no verdict";
      const std::size_t i = random_() % ranks_.size();
      if (has_verdict[i]) continue;
      Rank& rank = ranks_[i];
      rank.mpi.late_ = static_cast<int>(random_() % 3);
      if (asks_ && random_() % 8 == 0) send(rank, Kind::kAddresses);
      receive(rank);
      if (rank.running != 0) {
        work(rank);
        if (random_() % 4 == 0) ASSERT_EQ(rank.termination.look(rank.mpi), Verdict::kGoOn);
        continue;
      }
      // What a kernel thread of the program asks for, or a word of the rank's own, may be under way
      // on a rank that has no thread to run.
      const bool passive = random_() % 3 != 0;
      const Verdict verdict =
          passive ? rank.termination.step(rank.mpi) : rank.termination.look(rank.mpi);
      if (verdict == Verdict::kGoOn) continue;
      ASSERT_TRUE(quiet()) << "a verdict while something could still happen, at step " << step;
      const bool all_ended = blocked() == 0;
      ASSERT_EQ(verdict, all_ended ? Verdict::kOver : Verdict::kDeadlock);
      if (all_ended) {
        EXPECT_EQ(rank.termination.total_exit_code(), 7);
      } else {
        EXPECT_EQ(rank.termination.alive(), blocked());
      }
      has_verdict[i] = true;
      ++decided;
    }
  }

 private:
  enum class Kind { kSpawn, kMove, kHandOff, kWake, kAddresses };
  struct Message {
    Kind kind;
    int delay;
  };
  struct Rank {
    explicit Rank(Net::World& world) : mpi(world) {}
    Net mpi;
    Termination termination;
    std::deque<Message> inbox;
    std::uint64_t running = 0, blocked = 0;
  };

  void receive(Rank& rank) {
    if (rank.inbox.empty() || rank.inbox.front().delay-- > 0) return;
    const Kind kind = rank.inbox.front().kind;
    rank.inbox.pop_front();
    ++(kind == Kind::kHandOff ? rank.termination.taken_over : rank.mpi.received_);
    if (kind == Kind::kAddresses) {
      ++rank.mpi.received_apart_;
      return;
    }
    if (kind == Kind::kWake) {
      if (rank.blocked != 0) --rank.blocked, ++rank.running;
      return;
    }
    if (kind == Kind::kSpawn) ++rank.termination.created;
    ++rank.running;
  }

  void send(Rank& rank, Kind kind) {
    ++(kind == Kind::kHandOff ? rank.termination.handed_off : rank.mpi.sent_);
    rank.mpi.sent_apart_ += kind == Kind::kAddresses;
    ranks_[random_() % ranks_.size()].inbox.push_back({kind, static_cast<int>(random_() % 6)});
  }

  void work(Rank& rank) {
    const bool may_grow = made_ < 300;
    switch (random_() % 12) {
      case 0:
        if (may_grow) ++made_, ++rank.running, ++rank.termination.created;
        break;
      case 1:
        if (may_grow) ++made_, send(rank, Kind::kSpawn);
        break;
      case 2:
        --rank.running, send(rank, Kind::kMove);
        break;
      case 3:
        --rank.running, send(rank, Kind::kHandOff);
        break;
      case 4:
        --rank.running, ++rank.blocked;
        break;
      case 5:
      case 6:
        send(rank, Kind::kWake);
        break;
      case 7:
        break;
      default:
        // The last that runs anywhere wakes those that wait, unless they are to be left waiting.
        if (!deadlocks_ && rank.blocked != 0) {
          ++rank.running, --rank.blocked;
        } else {
          --rank.running, ++rank.termination.ended;
        }
    }
    // Somebody must be left to end what is blocked, or else it is a deadlock.
    if (!deadlocks_ && quiet()) {
      for (Rank& other : ranks_) other.running += std::exchange(other.blocked, 0);
    }
  }

  bool quiet() const {
    for (const Rank& rank : ranks_) {
      if (rank.running != 0) return false;
      for (const Message& message : rank.inbox) {
        if (message.kind != Kind::kAddresses) return false;
      }
    }
    return true;
  }
  std::uint64_t blocked() const {
    std::uint64_t all = 0;
    for (const Rank& rank : ranks_) all += rank.blocked;
    return all;
  }

  std::mt19937_64 random_;
  bool deadlocks_;
  bool asks_;  // kernel threads on all ranks have them ask each other for addresses, all the time
  Net::World world_;
  std::deque<Rank> ranks_;
  int made_ = 0;
};

TEST(Termination, IsFoundByEveryRankAndNeverTooSoon) {
  const std::uint64_t seed = test_seed();
  for (std::uint64_t run = 0; run < 400; ++run) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << " run " << run);
    Simulation(seed + run, static_cast<int>(2 + run % 9), false).run();
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(Termination, IsFoundWhereAddressesAreUnderWayAllTheTime) {
  const std::uint64_t seed = test_seed();
  for (std::uint64_t run = 0; run < 100; ++run) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << " run " << run);
    Simulation(seed + run, static_cast<int>(2 + run % 9), run % 2 != 0, true).run();
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(Termination, ADeadlockIsFoundByEveryRankAndNeverTooSoon) {
  const std::uint64_t seed = test_seed();
  for (std::uint64_t run = 0; run < 400; ++run) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << " run " << run);
    Simulation(seed + run, static_cast<int>(2 + run % 9), true).run();
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace roam::runtime
