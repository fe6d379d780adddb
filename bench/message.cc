// What does a message between two members of a team cost?
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <vector>

#include "bench/contest.h"
#include "bench/ping_pong.h"
#include "roam/roam.h"

namespace {

constexpr const char* kQuestion =
    "What does a message of some bytes between two members of a team cost: half a round trip, and "
    "one of many that\n"
    "are sent at once? Beside plain MPI between the same ranks. Run on 1 rank (no floor), on 2 "
    "ranks of one node, and\n"
    "on 2 with ROAM_NODE_RANKS=1. (ns a message)";

const std::initializer_list<bench::Option> kOptions = {
    {"bytes", "length of a message (8)"},
};

constexpr int kCommandTag = 1, kDataTag = 2, kDoneTag = 3;
constexpr std::size_t kBurst = 64;

// What member 1 does next, as often as `rounds` says.
struct Command {
  enum Kind { kAnswer, kTake, kEnd } kind;
  std::size_t rounds;
};

void serve(std::size_t bytes) {
  const roam::Team team = roam::Team::current();
  std::vector<char> data(bytes, 'x');
  for (;;) {
    const Command command = team.recv<Command>(0, kCommandTag);
    if (command.kind == Command::kEnd) return;
    for (std::size_t i = 0; i < command.rounds; ++i) {
      if (command.kind == Command::kAnswer) {
        team.recv(0, kDataTag, data);
        team.send(0, kDataTag, data);
      } else {
        for (std::size_t k = 0; k < kBurst; ++k) team.recv(0, kDataTag, data);
        team.send(0, kDoneTag, 1);
      }
    }
  }
}

double there_and_back(std::vector<char>& data, std::size_t rounds) {
  const roam::Team team = roam::Team::current();
  team.send(1, kCommandTag, Command{Command::kAnswer, rounds});
  const std::int64_t begin_ns = bench::now_ns();
  for (std::size_t i = 0; i < rounds; ++i) {
    team.send(1, kDataTag, data);
    team.recv(1, kDataTag, data);
  }
  return static_cast<double>(bench::now_ns() - begin_ns) / (2 * static_cast<double>(rounds));
}

double in_bursts(const std::vector<char>& data, std::size_t rounds) {
  const roam::Team team = roam::Team::current();
  team.send(1, kCommandTag, Command{Command::kTake, rounds});
  const std::int64_t begin_ns = bench::now_ns();
  for (std::size_t i = 0; i < rounds; ++i) {
    for (std::size_t k = 0; k < kBurst; ++k) team.send(1, kDataTag, data);
    (void)team.recv<int>(1, kDoneTag);
  }
  return static_cast<double>(bench::now_ns() - begin_ns) / (kBurst * static_cast<double>(rounds));
}

void measure(const bench::Options& options) {
  const std::size_t bytes = std::max<std::size_t>(options.number("bytes", 8), 1);
  // About 1 ms of messages a slice.
  const std::size_t rounds = std::clamp<std::size_t>((2 << 20) / (bytes + 8192), 2, 250);
  std::vector<char> data(bytes, 'x');
  const std::string places = roam::ranks() == 1      ? "/ranks=1"
                             : roam::node_of(1) == 0 ? "/nodes=1"
                                                     : "/nodes=2";
  const std::string name = std::to_string(bytes) + places;
  bench::Contest contest(options.quick);
  const auto message = contest.add([&] { return there_and_back(data, rounds); });
  const auto burst =
      contest.add([&] { return in_bursts(data, std::max<std::size_t>(rounds / 32, 1)); });
  auto floor = message;
  if (roam::ranks() > 1) {
    floor = contest.add([&] { return bench::ping_pong(bytes, rounds, bench::Memory::kWarm); });
  }
  contest.run(4);
  if (roam::ranks() > 1) {
    contest.row("message/" + name, message, floor, bytes);
    contest.row("message_burst/" + name, burst, floor, bytes);
  } else {
    contest.row_alone("message/" + name, message);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, kOptions);
  MPI_Init(&argc, &argv);
  const int status = roam::run(argc, argv, [&options] {
    if (roam::ranks() > 2) {
      std::fprintf(stderr, "this benchmark runs on 1 or 2 ranks\n");
      return 2;
    }
    roam::spawn_team(roam::SpawnOptions{.stack_bytes = 1 << 20}, 2, [&options] {
      const roam::this_thread::Pin pin;
      const roam::Team team = roam::Team::current();
      if (team.index() == 0) {
        measure(options);
        team.send(1, kCommandTag, Command{Command::kEnd, 0});
      } else {
        serve(std::max<std::size_t>(options.number("bytes", 8), 1));
      }
    }).join();
    return 0;
  });
  MPI_Finalize();
  return status;
}
