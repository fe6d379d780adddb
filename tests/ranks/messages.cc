// Messages between members that stay, move, and move while messages are on their way.
#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

void wander(Random& random, int one_in) {
  if (random.one_in(static_cast<std::uint64_t>(one_in)))
    roam::this_thread::migrate(
        static_cast<int>(random.below(static_cast<std::uint64_t>(roam::ranks()))));
}

struct Body {
  std::string name;
  std::map<int, std::vector<double>> path;
  void pup(roam::Pup& p) { p | name | path; }
};

SCENARIO(Messages, AllKindsOfDataArriveAsTheyWere) {
  roam::spawn_team(4, [] {
    const roam::Team team = roam::Team::current();
    const int right = (team.index() + 1) % 4, left = (team.index() + 3) % 4;
    const std::vector<int> numbers{3, 1, 4, 1, 5};
    const Body body{"Ceres", {{1, {2.5, 3.5}}, {7, {}}}};
    const std::array<double, 3> point{1, 2, 3};
    team.send(right, 1, 42);
    team.send(right, 2, numbers);
    team.send(right, 3, std::string_view("a view"));
    team.send(right, 4, body);
    team.send(right, 5, point);
    team.send(right, 6, std::vector<bool>{true, false, true});
    team.send(right, 7, std::vector<std::array<double, 3>>{point, point});
    team.send(right, 8, std::vector<int>());
    // Not in the order of sending.
    expect_eq(team.recv<std::string>(left, 3), std::string("a view"), "text");
    expect_eq(team.recv<int>(left, 1), 42, "number");
    std::vector<int> room(8, -1);
    roam::Received got = team.recv(left, 2, room);
    expect_eq(got.count, std::size_t{5}, "elements");
    expect_eq(got.from, left, "sender");
    expect_eq(got.tag, 2, "tag");
    expect(std::equal(numbers.begin(), numbers.end(), room.begin()) && room[5] == -1, "numbers");
    const Body copy = team.recv<Body>(left, 4);
    expect(copy.name == body.name && copy.path == body.path, "body");
    expect(roam::in_thread_heap(&copy.path.at(1)[0]), "what comes is in the receiver's heap");
    expect((team.recv<std::array<double, 3>>(left, 5) == point), "array");
    expect((team.recv<std::vector<bool>>(left, 6) == std::vector<bool>{true, false, true}), "bits");
    expect_eq(team.recv<std::vector<std::array<double, 3>>>(left, 7).size(), std::size_t{2},
              "rows");
    expect(team.recv<std::vector<int>>(left, 8).empty(), "nothing");
    team.barrier();
  }).join();
}

SCENARIO(Messages, ALongerOneThanTheRoomStaysAndCanBeReceivedAgain) {
  roam::spawn_team(2, [] {
    const roam::Team team = roam::Team::current();
    for (const std::size_t n : {10u, 100'000u}) {
      if (team.index() == 0) {
        team.send(1, 0, std::vector<int>(n, 7));
        team.send(1, 0, 5);
        continue;
      }
      std::vector<int> small(n - 1), right(n);
      expect_error(roam::Errc::message_too_long, {std::to_string(4 * n), std::to_string(4 * n - 4)},
                   [&] { team.recv(0, 0, small); });
      roam::Request early = team.irecv(0, 0, small);
      expect_error(roam::Errc::message_too_long, {}, [&] { early.wait(); });
      expect_error(roam::Errc::bad_option, {"no whole number"},
                   [&] { (void)team.recv<std::array<char, 3>>(0, 0); });
      expect_eq(team.probe(roam::kAny, roam::kAny).count, 4 * n, "bytes probed");
      team.recv(0, 0, right);
      expect_eq(right[n - 1], 7, "last element");
      expect_eq(team.recv<int>(0, 0), 5, "the one behind it");
    }
  }).join();
}

SCENARIO(Messages, BothSidesMaySendFirstWhateverTheLength) {
  for (const std::size_t n : {1u, 1'000u, 30'000u, 3'000'000u}) {
    roam::spawn_team(3, [n] {
      const roam::Team team = roam::Team::current();
      const int right = (team.index() + 1) % 3, left = (team.index() + 2) % 3;
      std::vector<char> out(n), in(n);
      Pattern(static_cast<std::uint64_t>(team.index())).fill(out.data(), n);
      team.send(right, 0, out);
      std::fill(out.begin(), out.end(), 0);  // it may be changed now
      team.recv(left, 0, in);
      Pattern(static_cast<std::uint64_t>(left)).verify(in.data(), n, "message");
      team.send(team.index(), 1, in);  // to oneself
      team.recv(team.index(), 1, out);
      expect(in == out, "a message to oneself");
    }).join();
  }
}

// Each sends first and asks until that is done, as wait() would say it is; without a break, or
// doing something else for longer than a rank is patient.
SCENARIO(Messages, WhoAsksForASendIsAnsweredThoughNobodyReceivesYet) {
  using Clock = std::chrono::steady_clock;
  for (const int breaks : {0, 3}) {
    roam::spawn_team(5, [breaks] {
      const roam::Team team = roam::Team::current();
      const int right = (team.index() + 1) % 5, left = (team.index() + 4) % 5;
      const std::size_t n = 300'000;
      std::vector<char> out(n), in(n);
      Pattern(static_cast<std::uint64_t>(team.index())).fill(out.data(), n);
      roam::Request sent = team.isend(right, 0, out);
      while (!sent.test()) {
        for (int i = 0; i < breaks; ++i) {
          const auto begin = Clock::now();
          while (Clock::now() - begin < std::chrono::milliseconds(3)) {
          }
          roam::this_thread::yield();
        }
      }
      std::fill(out.begin(), out.end(), 0);  // it may be changed now
      team.recv(left, 0, in);
      Pattern(static_cast<std::uint64_t>(left)).verify(in.data(), n, "message");
    }).join();
  }
}

SCENARIO(Messages, AMemberMovesWithReceivesPostedAndSendsUnfinished) {
  roam::spawn_team(2 * roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    const int n = team.size();
    for (const std::size_t bytes : {8u, 20'000u, 500'000u}) {
      for (int round = 0; round < 4; ++round) {
        const int to = (team.index() + 1 + round) % n,
                  from = (team.index() + 2 * n - 1 - round) % n;
        std::vector<char> out(bytes), in(bytes);
        Pattern(static_cast<std::uint64_t>(100 * round + team.index())).fill(out.data(), bytes);
        roam::Request receive = team.irecv(from, round, in);
        roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
        roam::Request send = team.isend(to, round, out);
        roam::this_thread::migrate((roam::rank() + team.index()) % roam::ranks());
        receive.wait();
        roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
        send.wait();
        Pattern(static_cast<std::uint64_t>(100 * round + from)).verify(in.data(), bytes, "message");
      }
    }
  }).join();
}

SCENARIO(Messages, WaitAnyAndTestAndCancel) {
  roam::spawn_team(3, [] {
    const roam::Team team = roam::Team::current();
    if (team.index() != 0) {
      (void)team.recv<int>(0, 9);  // go
      team.send(0, team.index(), team.index());
      return;
    }
    int a = 0, b = 0, never = 0;
    std::vector<roam::Request> requests;
    requests.push_back(team.irecv(1, 1, a));
    requests.push_back(team.irecv(2, 2, b));
    requests.push_back(roam::Request());
    expect(!requests[0].test(), "nothing has come");
    { const roam::Request dropped = team.irecv(roam::kAny, 77, never); }
    team.send(2, 9, 0);
    expect_eq(roam::wait_any(requests), std::size_t{1}, "the first that is done");
    requests[1].wait();
    team.send(1, 9, 0);
    expect_eq(roam::wait_any(requests), std::size_t{0}, "the other");
    roam::wait_all(requests);
    expect_eq(roam::wait_any(requests), requests.size(), "none is left");
    expect(a == 1 && b == 2, "values");
    expect(!team.iprobe(roam::kAny, roam::kAny), "nothing else has come");
  }).join();
}

// The heart of it: everybody sends to everybody, of all lengths, and wanders. Each message says who
// sent it, with which tag and the how manyth it is; each pair and tag must come in order, each
// once.
SCENARIO(Messages, NoneIsLostDoubledOrOvertakenWhateverMoves) {
  constexpr int kEach = 12;
  roam::spawn_team(3 * roam::ranks() + 1, [] {
    const roam::Team team = roam::Team::current();
    const int n = team.size();
    Random random(static_cast<std::uint64_t>(team.index()) * 977 + 5);
    std::map<std::pair<int, int>, int> next;
    int sent = 0, received = 0;
    const int all = n * kEach;
    std::vector<roam::Request> sends;
    std::vector<std::vector<std::uint64_t>> data;
    data.reserve(static_cast<std::size_t>(all));
    std::map<int, int> count_to;
    while (sent < all || received < all) {
      wander(random, 8);
      if (sent < all && (received >= all || random.one_in(2))) {
        const int to = sent % n, k = count_to[to]++;
        const std::size_t words = random.one_in(6) ? 20'000 : random.between(4, 700);
        data.emplace_back(words);
        data.back()[0] = static_cast<std::uint64_t>(team.index());
        data.back()[1] = static_cast<std::uint64_t>(k / 3);  // the how manyth of its tag
        data.back()[2] = words;
        Pattern(words + static_cast<std::uint64_t>(team.index()))
            .fill(&data.back()[3], (words - 3) * 8);
        if (random.one_in(2)) {
          team.send(to, k % 3, data.back());
        } else {
          sends.push_back(team.isend(to, k % 3, data.back()));
        }
        ++sent;
      } else if (received < all) {
        if (sent < all && !team.iprobe(roam::kAny, roam::kAny)) {
          roam::this_thread::yield();
          continue;
        }
        const int tag = random.one_in(2) ? roam::kAny : -1;
        roam::Received got;
        const auto in = team.recv<std::vector<std::uint64_t>>(roam::kAny, tag, &got);
        expect_eq(in[0], static_cast<std::uint64_t>(got.from), "sender that the message names");
        expect_eq(in[1], static_cast<std::uint64_t>(next[std::pair{got.from, got.tag}]++),
                  "how manyth of member " + std::to_string(got.from) + " with tag " +
                      std::to_string(got.tag));
        expect_eq(in[2], std::uint64_t{in.size()}, "words");
        Pattern(in[2] + in[0]).verify(&in[3], (in.size() - 3) * 8, "words of a message");
        ++received;
      }
    }
    roam::wait_all(sends);
    team.barrier();
    expect(!team.iprobe(roam::kAny, roam::kAny), "nothing more has come");
  }).join();
}

// Passed on: by how many ranks, the first message after so many moves of the receiver and the next.
// The sender lets news of the moves arrive for `pause` each time.
std::pair<int, int> passed_on_after(int moves, std::chrono::milliseconds pause) {
  const roam::Team team = roam::Team::current();
  int forwards[2];
  if (team.index() == 1) {
    for (int k = 0; k < moves; ++k) roam::this_thread::migrate(next_rank());
  }
  for (int& of_message : forwards) {
    if (team.index() == 1) {
      team.send(0, 0, moves);
      roam::Received got;
      (void)team.recv<int>(0, 1, &got);
      of_message = got.forwards;
      team.send(0, 2, of_message);
    } else {
      (void)team.recv<int>(1, 0);
      roam::this_thread::sleep_for(pause);
      team.send(1, 1, moves);
      of_message = team.recv<int>(1, 2);
    }
  }
  return {forwards[0], forwards[1]};
}

SCENARIO(Messages, AtMostTwoRanksPassAMessageOnHoweverOftenItsReceiverMoved) {
  roam::spawn_team(2, [] {
    for (int moves = 0; moves < 7; ++moves) {
      std::pair<int, int> passed_on;
      // News may take long on a machine that has much to do.
      for (std::chrono::milliseconds pause(2); pause.count() < 2000; pause *= 4) {
        passed_on = passed_on_after(moves, pause);
        if (passed_on.first <= 2 && passed_on.second <= 1) break;
      }
      const std::string after = " message after " + std::to_string(moves) + " moves was passed on ";
      expect(passed_on.first <= 2,
             "the first" + after + std::to_string(passed_on.first) + " times");
      expect(passed_on.second <= 1,
             "the second" + after + std::to_string(passed_on.second) + " times");
    }
  }).join();
}

// Wherever the receiver began, and whether its sender knew it there.
SCENARIO(Messages, BetweenMembersOfOneRankNobodyPassesOnASecond) {
  for (const bool knew : {false, true}) {
    roam::spawn_team(2, [knew] {
      const roam::Team team = roam::Team::current();
      int passed_on = 0;
      for (int k = knew ? -3 : 0; k < 6; ++k) {
        if (team.index() == 0) {
          team.send(1, 0, k);
          (void)team.recv<int>(1, 1);
          continue;
        }
        if (k == 0) roam::this_thread::migrate(0);
        roam::Received got;
        (void)team.recv<int>(0, 0, &got);
        if (k >= 0 && got.forwards != 0) ++passed_on;
        team.send(0, 1, k);
      }
      expect(passed_on <= 1,
             std::to_string(passed_on) + " messages of a member here went elsewhere");
    }).join();
  }
}

SCENARIO(Messages, OneThatNobodyReceivesGoesWithItsReceiver) {
  roam::spawn_team(3, [] {
    const roam::Team team = roam::Team::current();
    const int right = (team.index() + 1) % 3;
    team.send(right, 5, std::string(1000, 'u'));
    const roam::Request large = team.isend(right, 6, std::vector<int>(100'000, 1));
    (void)large.test();
    team.barrier();
    roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
  }).join();
}

}  // namespace
}  // namespace roam_test
