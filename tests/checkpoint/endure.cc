// A job that computes for a while, makes checkpoints on its way, and ends in one of several ways.
// What it prints is the same however often it was killed and started again.
//
//   endure HOW FOLDER ROUNDS [MICROSECONDS]
//
// FOLDER: of the checkpoints; -: it makes none itself.
// HOW: well, with the code 0; code7; throw: something that nobody catches; crash: in the midst,
// each time at the same place; crash-once: the first time, which makes the file FOLDER/../crashed;
// abort; exit: exit(5) in the midst; deadlock; usage: before there is a job; late: after roam::run
// main says `late`, and waits until there is the file MARK of the environment.
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/random.h"

namespace roam_test {
namespace {

constexpr int kMembers = 8, kRoundsToACheckpoint = 10;

struct Arguments {
  std::string how, folder;
  int rounds = 0;
  int microseconds = 3000;
};

std::uint64_t add(std::uint64_t sum, std::uint64_t value) { return mix(sum * 31 + value); }

[[gnu::noinline]] void crash() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

void end_otherwise(const Arguments& arguments) {
  const std::string& how = arguments.how;
  if (how == "crash") crash();
  if (how == "abort") std::abort();
  if (how == "exit") std::exit(5);
  if (how == "throw") throw std::string("not an exception of the library");
  if (how == "deadlock") roam::Channel<int>(1).recv();
  if (how != "crash-once") return;
  const std::string mark = arguments.folder + "/../crashed";
  if (access(mark.c_str(), F_OK) == 0) return;
  std::FILE* file = std::fopen(mark.c_str(), "w");
  std::fclose(file);
  crash();
}

void compute(const Arguments& arguments) {
  const roam::Team team = roam::Team::current();
  const int me = team.index(), next = (me + 1) % kMembers;
  std::map<std::uint64_t, std::vector<std::uint64_t>> memory;
  std::uint64_t sum = static_cast<std::uint64_t>(me);
  for (int round = 0; round < arguments.rounds; ++round) {
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::microseconds(arguments.microseconds / kMembers);
    memory[sum % 97].push_back(sum);
    team.send(next, round, std::vector<std::uint64_t>(50 + round % 7, sum));
    for (const std::uint64_t value :
         team.recv<std::vector<std::uint64_t>>((me + kMembers - 1) % kMembers, round))
      sum = add(sum, value);
    sum = add(sum, team.allreduce(sum, [](auto a, auto b) { return a ^ b; }));
    for (const auto& [key, values] : memory) sum = add(sum, key + values.back());
    while (std::chrono::steady_clock::now() < end) roam::this_thread::yield();
    if (round % 9 == me) roam::this_thread::migrate((me + round) % roam::ranks());
    if (me == 1 && round == arguments.rounds / 2) end_otherwise(arguments);
    if (me == 0 && round % kRoundsToACheckpoint == kRoundsToACheckpoint - 1 &&
        arguments.folder != "-")
      roam::checkpoint(arguments.folder);
  }
  if (me != 0) return;
  roam::this_thread::migrate(0);
  std::printf("%d rounds: %llu\n", arguments.rounds, static_cast<unsigned long long>(sum));
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
  roam_test::Arguments arguments;
  if (argc < 4 || std::string(argv[1]) == "usage") {
    std::fprintf(stderr, "usage: endure HOW FOLDER ROUNDS [MICROSECONDS]\n");
    return 4;
  }
  arguments.how = argv[1];
  arguments.folder = argv[2];
  arguments.rounds = std::atoi(argv[3]);
  if (argc > 4) arguments.microseconds = std::atoi(argv[4]);
  const int code = roam::run(argc, argv, [arguments] {
    roam::spawn_team({.name = "members"}, roam_test::kMembers, roam_test::compute, arguments)
        .join();
    return arguments.how == "code7" ? 7 : 0;
  });
  if (arguments.how == "late") {
    std::fputs("late\n", stdout);  // in one piece: without a buffer puts writes two
    std::fflush(nullptr);
    while (access(std::getenv("MARK"), F_OK) != 0) usleep(50'000);
  }
  return code;
}
