// A log that all threads append to has each line once, although the job is killed and goes on from
// checkpoints: docs/checkpoint.md has the pattern.
//
//   log LOG FOLDER ROUNDS [die [careless]]
//
// FOLDER: of checkpoints, each tenth round. die: a rank kills itself in the midst, the first time,
// which makes the file LOG.died. careless: the log is not cut back.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "roam/roam.h"

namespace roam_test {
namespace {

constexpr int kMembers = 6, kRoundsToACheckpoint = 10;

// ---- the pattern ----

std::string log_path;
std::uint64_t log_bytes = 0;  // that it had when the checkpoint was made; a plain global

// Opened, written and closed without a wait between, so that it is in the way of nothing.
void append(const std::string& line) { std::ofstream(log_path, std::ios::app) << line + "\n"; }

// Threads stand still, and each line is there whole. On disk, as the checkpoint will be.
void note_log() {
  const int file = open(log_path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  const bool good = file >= 0 && fsync(file) == 0 && fstat(file, &status) == 0;
  if (file >= 0) close(file);
  if (!good) throw std::runtime_error("the log cannot be synchronised");
  log_bytes = static_cast<std::uint64_t>(status.st_size);
}

// What came after the checkpoint comes again, and so does a line that was cut off by the kill.
void cut_log() {
  if (roam::rank() != 0) return;
  if (std::filesystem::file_size(log_path) < log_bytes)
    throw std::runtime_error("the log is shorter than when the checkpoint was made");
  std::filesystem::resize_file(log_path, log_bytes);
}

void keep_log(bool careless) {
  roam::job_data("bytes of the log", log_bytes);
  roam::on_checkpoint(note_log);
  if (!careless) roam::on_restart(cut_log);
}

// ---- a job with a log ----

struct Arguments {
  std::string folder;
  int rounds = 0;
  bool dies = false;
};

void die_once() {
  const std::string mark = log_path + ".died";
  if (access(mark.c_str(), F_OK) == 0) return;
  std::ofstream(mark) << "died\n";
  kill(getpid(), SIGKILL);
}

void compute(const Arguments& arguments) {
  const roam::Team team = roam::Team::current();
  const int me = team.index();
  for (int round = 0; round < arguments.rounds; ++round) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    append("member " + std::to_string(me) + ", round " + std::to_string(round) + "; " +
           std::string(static_cast<std::size_t>(round % 40), '.'));
    while (std::chrono::steady_clock::now() < end) roam::this_thread::yield();
    if (round % kMembers == me) roam::this_thread::migrate((me + round) % roam::ranks());
    if (round % 4 == 0) team.barrier();
    if (me == 1 && arguments.dies && round == arguments.rounds / 2) die_once();
    if (me == 0 && round % kRoundsToACheckpoint == kRoundsToACheckpoint - 1)
      roam::checkpoint(arguments.folder);
  }
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
  using namespace roam_test;
  if (argc < 4) {
    std::fprintf(stderr, "usage: log LOG FOLDER ROUNDS [die [careless]]\n");
    return 4;
  }
  log_path = argv[1];
  const Arguments arguments{argv[2], std::atoi(argv[3]), argc > 4};
  keep_log(argc > 5);
  return roam::run(argc, argv, [arguments] {
    std::ofstream(log_path) << "";  // root of a job that begins: a restarted one has none
    roam::spawn_team({.name = "members"}, kMembers, compute, arguments).join();
    return 0;
  });
}
