// Who sends more than is received is held back, and goes on when there is room again. Run with
// ROAM_UNRECEIVED=1M.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

constexpr int kMessages = 5000;
constexpr std::size_t kBytes = 1000;  // 5 MB in all

std::atomic<int> heard;  // on each rank

void send_all(const roam::Team& team, int to, int tag, bool move = false) {
  std::vector<unsigned char> data(kBytes);
  for (int i = 0; i < kMessages; ++i) {
    Pattern(static_cast<std::size_t>(i)).fill(data.data(), data.size());
    team.send(to, tag, data);
    if (move && i % 500 == 499) roam::this_thread::migrate(next_rank());
  }
}

void receive_all(const roam::Team& team, int from, int tag, bool move = false) {
  std::vector<unsigned char> data(kBytes);
  for (int i = 0; i < kMessages; ++i) {
    team.recv(from, tag, data);
    Pattern(static_cast<std::size_t>(i)).verify(data.data(), data.size(), "a message");
    if (i % 100 == 0) roam::this_thread::yield();
    if (move && i % 300 == 299) roam::this_thread::migrate(next_rank());
  }
}

void in_team(int members, std::function<void(roam::Team)> body) {
  roam::spawn_team(members, [body] { body(roam::Team::current()); }).join();
}

// Members 0 and the last are on the first and the last rank. The one next to the last hears from
// the sender how far it is.
SCENARIO(Unreceived, WhoSendsFasterThanIsReceivedIsHeldBack) {
  in_team(2 * roam::ranks() + 2, [](roam::Team team) {
    const int last = team.size() - 1;
    if (team.index() == 0) {
      std::vector<unsigned char> data(kBytes);
      for (int i = 0; i < kMessages; ++i) {
        Pattern(static_cast<std::size_t>(i)).fill(data.data(), data.size());
        team.send(last, 1, data);
        if (i % 10 == 9) team.send(last - 1, 2, i);
      }
      team.send(last - 1, 2, -1);
    } else if (team.index() == last - 1) {
      heard = 0;
      for (;;) {
        const int i = team.recv<int>(0, 2);
        if (i < 0) break;
        heard = i;
      }
    } else if (team.index() == last) {
      for (int i = 0; i < 20'000; ++i) roam::this_thread::yield();
      expect(heard < kMessages - 1, "the sender is held back while nothing is received");
      receive_all(team, 0, 1);
    }
  });
}

SCENARIO(Unreceived, OthersOfItsRankRunMeanwhile) {
  in_team(2 * roam::ranks(), [](roam::Team team) {
    const int last = team.size() - 1;
    if (team.index() == 0) send_all(team, last, 1);
    if (team.index() == 1) {
      for (int i = 0; i < 1000; ++i) roam::this_thread::yield();
      team.send(last, 2, 17);
    }
    if (team.index() == last) {
      expect_eq(team.recv<int>(1, 2), 17, "what the sender's neighbour says");
      receive_all(team, 0, 1);
    }
  });
}

// Member 0 fills the mailbox; what another one sends is wanted first.
SCENARIO(Unreceived, WhoIsListenedToIsNotHeldBackBecauseOfAnother) {
  in_team(roam::ranks() + 2, [](roam::Team team) {
    const int last = team.size() - 1;
    if (team.index() == 0) send_all(team, last, 1);
    if (team.index() == 1) {
      for (int i = 0; i < 50; ++i) team.send(last, 3, i);
      send_all(team, last, 2);
    }
    if (team.index() == last) {
      for (int i = 0; i < 1000; ++i) roam::this_thread::yield();
      receive_all(team, 1, 2);
      receive_all(team, 0, 1);
      for (int i = 0; i < 50; ++i) expect_eq(team.recv<int>(1, 3), i, "the first ones");
    }
  });
}

SCENARIO(Unreceived, BothMayMoveMeanwhile) {
  in_team(2 * roam::ranks(), [](roam::Team team) {
    const int half = team.size() / 2;
    if (team.index() < half) {
      send_all(team, team.index() + half, 1, true);
    } else {
      receive_all(team, team.index() - half, 1, true);
    }
  });
}

SCENARIO(Unreceived, ManySendersToOne) {
  in_team(3 * roam::ranks(), [](roam::Team team) {
    if (team.index() != 0) {
      std::vector<unsigned char> data(10'000);
      for (int i = 0; i < 200; ++i) {
        Pattern(static_cast<std::size_t>(i)).fill(data.data(), data.size());
        team.isend(0, 1, data).wait();
      }
    } else {
      std::vector<int> next(static_cast<std::size_t>(team.size()));
      std::vector<unsigned char> data(10'000);
      for (int i = 0; i < 200 * (team.size() - 1); ++i) {
        const roam::Received r = team.recv(roam::kAny, roam::kAny, data);
        const auto n = static_cast<std::size_t>(next[static_cast<std::size_t>(r.from)]++);
        Pattern(n).verify(data.data(), data.size(), "a message");
      }
    }
  });
}

// What cannot wait for a receiver does not.
SCENARIO(Unreceived, MessagesToOneselfAndCollectivesHaveRoom) {
  in_team(2 * roam::ranks(), [](roam::Team team) {
    std::vector<unsigned char> data(kBytes);
    for (int i = 0; i < kMessages; ++i) team.send(team.index(), 1, data);
    const std::size_t n = static_cast<std::size_t>(team.size());
    std::vector<int> in(n * 100'000), out(in.size());
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < in.size(); ++i) in[i] = team.index() + static_cast<int>(i);
      team.alltoall(in, out);
      for (std::size_t i = 0; i < out.size(); ++i) {
        const int from = static_cast<int>(i / 100'000);
        const int part = static_cast<int>(i % 100'000);
        if (out[i] == from + team.index() * 100'000 + part) continue;
        expect_eq(out[i], from + team.index() * 100'000 + part, "a part");
      }
    }
    for (int i = 0; i < kMessages; ++i) team.recv(team.index(), 1, data);
  });
}

SCENARIO(Unreceived, WhoWaitsForOneThatEndsIsTold) {
  in_team(2 * roam::ranks(), [](roam::Team team) {
    const int last = team.size() - 1;
    if (team.index() == 0) {
      // Ends with the error, or all are sent before it is known that nobody is there.
      try {
        send_all(team, last, 1);
      } catch (const roam::Error& error) {
        expect(error.code() == roam::Errc::thread_ended, "what the sender is told");
      }
    }
    if (team.index() == last) {
      std::vector<unsigned char> data(kBytes);
      for (int i = 0; i < 10; ++i) team.recv(0, 1, data);
    }
  });
}

}  // namespace
}  // namespace roam_test
