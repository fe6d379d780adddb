// Records a run whose parts are known and lets check_trace.py look whether the file has them.
//
// usage: recorded CHECK_TRACE ROAM_REPORT [runs]
#include <mpi.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "roam/roam.h"

namespace {

constexpr int kTravellers = 12;
constexpr int kLaps = 3;
constexpr int kMembers = 6;
constexpr int kRounds = 40;

void compute(std::chrono::microseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

// Visits every rank, some laps, with memory of its own: hops = laps * ranks, and one to get where
// it begins.
void travel(int number) {
  std::vector<char> luggage(static_cast<std::size_t>(number) * 10'000);
  for (int hop = 0; hop < kLaps * roam::ranks(); ++hop) {
    compute(std::chrono::milliseconds(2));  // to be seen in the picture of a run on a busy machine
    roam::this_thread::yield();
    roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
  }
}

// Messages between members on one rank, on one node and on several; from the middle on, each member
// is where it was not expected.
void gossip() {
  const roam::Team team = roam::Team::current();
  const int n = team.size();
  roam::this_thread::set_load(1e-300 * (1 + team.index()));
  for (int round = 0; round < kRounds; ++round) {
    const int to = (team.index() + 1 + round % (n - 1)) % n;
    const int from = (team.index() + n - 1 - round % (n - 1)) % n;
    const std::vector<int> sent(round % 4 == 3 ? 20'000 : 10, round);
    std::vector<int> got(sent.size());
    roam::Request request = team.isend(to, round, sent);
    team.recv(from, round, got);
    request.wait();
    if (round == kRounds / 2) roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
  }
  (void)team.balance();
}

void root() {
  std::vector<roam::Thread> travellers;
  for (int i = 0; i < kTravellers; ++i) {
    travellers.push_back(roam::spawn(
        {.name = "traveller \"" + std::to_string(i) + "\" <\\>", .rank = i % roam::ranks()}, travel,
        i));
  }
  for (roam::Thread traveller : travellers) traveller.join();
  roam::spawn_team(kMembers, gossip).join();
  roam::spawn([] { roam::this_thread::sleep_for(std::chrono::milliseconds(30)); }).join();
}

}  // namespace

int main(int argc, char** argv) {
  const char* folder = std::getenv("TMPDIR");
  const std::string file = std::string(folder != nullptr ? folder : "/tmp") + "/recorded.json";
  setenv("ROAM_TRACE", file.c_str(), 1);
  const int runs = argc > 3 ? std::atoi(argv[3]) : 1;
  if (runs > 1) MPI_Init(&argc, &argv);
  int rank = 0, ranks = 0;
  for (int i = 0; i < runs; ++i) {
    roam::run(argc, argv, [] { root(); });
    rank = roam::rank();
    ranks = roam::ranks();
  }
  if (runs > 1) MPI_Finalize();
  if (rank != 0) return 0;
  for (int i = 1; i <= runs; ++i) {
    std::string name = file;
    if (i > 1) name.insert(name.rfind('.'), "." + std::to_string(i));
    const std::string command = std::string(argv[1]) + " " + name + " " + std::to_string(ranks) +
                                " " + std::to_string(kTravellers) + " " + std::to_string(kLaps) +
                                " " + std::to_string(kMembers) + " " + std::to_string(kRounds) +
                                " " + argv[2];
    const int status = std::system(command.c_str());
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return 1;
  }
  return 0;
}
