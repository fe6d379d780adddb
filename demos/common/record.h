#ifndef DEMOS_COMMON_RECORD_H_
#define DEMOS_COMMON_RECORD_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

// What was measured of one run of a program whose members compute in steps, and what it comes to.

// The steps between two points of balancing, or what would be one.
struct Interval {
  int last_step = 0;
  std::vector<double> busy_seconds;  // by rank: CPU time of the computing that was done there
  double balancing_seconds = 0;      // that passed in the balance() that follows
  int moved = 0;                     // members that it moved
};

struct Record {
  bool balanced = false;
  double seconds = 0;  // from start to end
  std::vector<Interval> intervals;
};

// Sums over the intervals from `first` to before `last`.
struct Summary {
  double average_seconds = 0;  // of the ranks' busy times: with this largest one all is even
  double largest_seconds = 0;  // of the fullest rank of each interval
  double balancing_seconds = 0;
  int moved = 0;
  // Average over largest busy time; 1 of none.
  double efficiency() const { return largest_seconds > 0 ? average_seconds / largest_seconds : 1; }
};
Summary summarise(const Record& run, std::size_t first, std::size_t last);

// What the computing of `run` takes from start to end if no core is ever without work and nothing
// else costs anything: the run cannot be shorter.
double least_seconds(const Record& run, int cores);

// Efficiency over time and the totals, of one or two runs of the same problem, the balanced one
// last.
void print_runs(std::span<const Record> runs);

// "1,234,567"
std::string with_commas(long value);

#endif  // DEMOS_COMMON_RECORD_H_
