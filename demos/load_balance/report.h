#ifndef DEMOS_LOAD_BALANCE_REPORT_H_
#define DEMOS_LOAD_BALANCE_REPORT_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "demos/load_balance/record.h"

// What a run amounts to.
struct Summary {
  std::vector<double> busy_seconds;  // by rank: CPU time of turns
  double efficiency = 1;             // average over largest busy time
  double makespan_seconds = 0;       // start to the end of the last chunk
  std::size_t moved_threads = 0;
  std::vector<Move> moves;  // in no order
};
Summary summarise(const Run& run, int ranks);

// "1.2 MiB", "31 ms": three digits or so, and a unit.
std::string in_bytes(double bytes);
std::string in_seconds(double seconds);

double median(std::vector<double> values);  // 0 of none

// What a run is called: "with balancing" or "without" it.
const char* title_of(bool balanced);

// The line that tells how far a run is. On a terminal it is written over; elsewhere there is a line
// now and then.
class Progress {
 public:
  Progress(bool balanced, std::uint64_t total_bytes);
  // `done_bytes`: that were seen done, some perhaps twice or not at all. `seconds_left` by rank.
  // `over`: all is done, and this is shown whenever the last line was.
  void show(std::uint64_t done_bytes, std::span<const double> seconds_left, std::size_t moves,
            bool over);
  void end();

 private:
  const char* title_;
  std::uint64_t total_bytes_;
  std::uint64_t done_bytes_ = 0;
  bool terminal_;
  std::int64_t next_ns_ = 0;
};

// What a reader of the figures should know about this machine.
std::string machine_note(int ranks);

// The table of both runs (or of one) and what the moves cost. `hop_seconds`: moves between idle
// ranks.
void print_report(const std::vector<Run>& runs, int ranks, std::span<const double> hop_seconds);

#endif  // DEMOS_LOAD_BALANCE_REPORT_H_
