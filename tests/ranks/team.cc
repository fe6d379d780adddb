// Making teams: members, their places, their ends.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

SCENARIO(Team, MembersBeginInBlocksAndKnowWhoTheyAre) {
  for (const int n : {1, 2, 3, roam::ranks(), roam::ranks() + 1, 41}) {
    const roam::Team team = roam::spawn_team(
        roam::SpawnOptions{.name = "worker"}, n,
        [n](const std::string& text) {
          const roam::Team own = roam::Team::current();
          expect_eq(own.size(), n, "size");
          expect_eq(roam::rank(), own.index() * roam::ranks() / n, "rank that it begins on");
          expect_eq(std::string(roam::this_thread::name()),
                    "worker[" + std::to_string(own.index()) + "]", "name");
          expect_eq(text, std::string(100, 'x'), "argument");
          expect(roam::in_thread_heap(text.data()), "the argument is in the member's heap");
        },
        std::string(100, 'x'));
    expect_eq(team.size(), n, "size of the handle");
    team.join();
    team.join();
  }
}

SCENARIO(Team, RefusesWhatCannotBe) {
  expect_error(roam::Errc::bad_option, {"0 members"}, [] { (void)roam::spawn_team(0, [] {}); });
  expect_error(roam::Errc::bad_option, {"-3"}, [] { (void)roam::spawn_team(-3, [] {}); });
  expect_error(roam::Errc::not_in_team, {"not a member"}, [] { (void)roam::Team::current(); });
  const roam::Team team = roam::spawn_team(3, [] {
    const roam::Team own = roam::Team::current();
    expect_error(roam::Errc::no_such_member, {"member 3", "0 to 2"}, [&] { own.send(3, 0, 1); });
    expect_error(roam::Errc::no_such_member, {"member -1"}, [&] { own.send(-1, 0, 1); });
    expect_error(roam::Errc::no_such_member, {"member -2"}, [&] { (void)own.recv<int>(-2, 0); });
    expect_error(roam::Errc::bad_option, {"tag is -1"}, [&] { own.send(0, -1, 1); });
    expect_error(roam::Errc::no_such_member, {"member 7"}, [&] { (void)own.reduce(7, 1); });
    std::vector<int> room(2);
    expect_error(roam::Errc::bad_option, {"8 bytes", "3 parts"},
                 [&] { (void)own.iallgather(1, room); });
    own.barrier();
  });
  expect_error(roam::Errc::not_in_team, {"not a member of team"}, [&] { team.send(0, 0, 1); });
  team.join();
  expect_error(roam::Errc::not_in_team, {}, [&] { team.barrier(); });
  const std::vector<int> in(4);
  std::vector<int> out(4);
  expect_error(roam::Errc::not_in_team, {}, [&] { roam::Team().alltoall(in, out); });
  expect_error(roam::Errc::not_in_team, {}, [&] { (void)roam::Team().allgather(1); });
  expect_error(roam::Errc::not_in_team, {}, [&] { (void)roam::Team().reduce(0, 1); });
}

// Of the member of the lowest index, whoever makes the team, and whoever fails first.
SCENARIO(Team, TheExceptionOfTheLowestIndexComesOutOfJoin) {
  const int size = 2 * roam::ranks() + 1;
  for (int creator = 0; creator < roam::ranks(); ++creator) {
    for (int first = 0; first < size; ++first) {
      on_rank(creator, [size, first] {
        const roam::Team team = roam::spawn_team(size, [first] {
          const int i = roam::Team::current().index();
          roam::this_thread::migrate((roam::rank() + i) % roam::ranks());
          if (i == first) roam::this_thread::sleep_for(std::chrono::milliseconds(1));
          if (i >= first) throw std::runtime_error("member " + std::to_string(i));
        });
        const auto error = expect_throws<std::runtime_error>([&] { team.join(); }, "join");
        expect_eq(std::string(error.what()), "member " + std::to_string(first), "what join throws");
      });
    }
  }
}

// Copies can be refused on a rank that `refused` names.
struct Fragile {
  explicit Fragile(int rank) : refused(rank) {}
  Fragile(const Fragile& other) : refused(other.refused), copies(other.copies + 1) {
    if (copies > 2 && roam::rank() == refused) throw std::length_error("no copy here");
  }
  void operator()() const { throw std::logic_error("a member ran"); }
  int refused;
  int copies = 0;
};

SCENARIO(Team, NobodyRunsIfSomebodyCannotBeMade) {
  for (int r = 0; r < roam::ranks(); ++r) {
    (void)expect_throws<std::length_error>([r] { (void)roam::spawn_team(50, Fragile(r)); },
                                           "spawn_team");
  }
  const roam::Team team = roam::spawn_team(5, [] { roam::Team::current().barrier(); });
  team.join();
}

SCENARIO(Team, AMemberMakesATeamOfItsOwn) {
  const roam::Team team = roam::spawn_team(3, [] {
    const roam::Team outer = roam::Team::current();
    const int me = outer.index();
    const roam::Team inner = roam::spawn_team(4, [me] {
      const roam::Team own = roam::Team::current();
      expect_eq(own.allreduce(me), 4 * me, "sum in the inner team");
      own.send((own.index() + 1) % 4, 1, own.index() + 10 * me);
      expect_eq(own.recv<int>(roam::kAny, 1) / 10, me, "team that the message came from");
    });
    expect_eq(outer.allreduce(1), 3, "sum in the outer team");
    inner.join();
    expect(roam::Team::current() == outer, "still a member of the outer team");
  });
  team.join();
}

// Another thread asks the calling one to go to one rank after the other while it runs `work`.
template <class Work>
void driven(Work work) {
  static bool stop;  // of rank 0
  on_rank(0, [] { stop = false; });
  const roam::Thread t = roam::this_thread::self();
  const roam::Thread driver = roam::spawn({.name = "driver", .rank = 0}, [t] {
    for (int to = 0; !stop; to = (to + 1) % roam::ranks()) {
      try {
        roam::migrate(t, to);
      } catch (const roam::Error& error) {
        expect(error.code() == roam::Errc::pinned, "why it does not go");
      }
      roam::this_thread::yield();
    }
  });
  work();
  on_rank(0, [] { stop = true; });
  driver.join();
}

SCENARIO(Team, WhoMakesOneStaysUntilItIsMade, .ranks_needed = 2) {
  driven([] {
    for (int round = 0; round < 100; ++round) {
      const int here = roam::rank();
      const roam::Team team = roam::spawn_team(5, [] {});
      expect_eq(roam::rank(), here, "rank of who made it");
      team.join();
    }
  });
}

// Its copy takes a while, in which its thread is asked to go.
struct Slow {
  Slow() = default;
  Slow(const Slow&) { roam::this_thread::sleep_for(std::chrono::microseconds(200)); }
  void operator()() const {}
};

SCENARIO(Team, WhoMakesAThreadStaysWhileItsFunctionIsCopied, .ranks_needed = 2) {
  driven([] {
    const Slow slow;
    for (int round = 0; round < 50; ++round) {
      const int here = roam::rank();
      const roam::Thread made = roam::spawn(slow);
      expect_eq(roam::rank(), here, "rank of who made it");
      try {
        roam::migrate(made, (here + 1) % roam::ranks());
      } catch (const roam::Error& error) {
        expect(error.code() == roam::Errc::thread_ended, "why it does not go");
      }
      made.join();
      roam::spawn_team(3, slow).join();
    }
  });
}

// Who makes a team of it waits where it goes, and the team has ended meanwhile.
struct WaitsWhereItWasMade {
  roam::Thread maker = roam::this_thread::self();
  ~WaitsWhereItWasMade() {
    if (roam::this_thread::self() == maker)
      roam::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
};

SCENARIO(Team, ArgumentsMayWaitWhereTheyGoLongerThanTheTeamRuns) {
  for (int round = 0; round < 3; ++round) {
    const roam::Team team = roam::spawn_team(
        roam::ranks() + 1,
        [](const WaitsWhereItWasMade&) { expect(roam::Team::current().index() >= 0, "an index"); },
        WaitsWhereItWasMade());
    expect_eq(team.size(), roam::ranks() + 1, "size");
    team.join();
  }
}

// A rank with a thread that asks again and again is never idle.
SCENARIO(Team, TwoMayBothSendFirstWhileOthersAsk) {
  const int ranks = roam::ranks();
  roam::spawn_team(3 * ranks, [ranks] {
    const roam::Team team = roam::Team::current();
    const int place = team.index() / 3, kind = team.index() % 3;
    const int next = (place + 1) % ranks, before = (place + ranks - 1) % ranks;
    std::vector<int> data(300'000, team.index());
    std::vector<int> got(data.size());
    if (kind == 2) {  // until the first of its three has done
      while (!team.iprobe(3 * place, 5)) {
      }
      team.recv(3 * place, 5, got);
      return;
    }
    const int to = kind == 0 ? 3 * next + 1 : 3 * before;
    team.send(to, 0, data);
    team.recv(to, 0, got);
    expect_eq(got[7], to, "from whom it comes");
    if (kind == 0) team.send(3 * place + 2, 5, std::vector<int>(1));
  }).join();
}

SCENARIO(Team, ManyTeamsOneAfterTheOther) {
  for (int k = 0; k < 30; ++k) {
    const roam::Team team = roam::spawn_team(k % 7 + 1, [k] {
      const roam::Team own = roam::Team::current();
      expect_eq(own.scan(k), k * (own.index() + 1), "scan");
    });
    team.join();
  }
}

}  // namespace
}  // namespace roam_test
