#ifndef DEMOS_PIC_OPTIONS_H_
#define DEMOS_PIC_OPTIONS_H_

#include <string>

#include "demos/common/arguments.h"
#include "demos/pic/distribution.h"

// What is computed. The same whatever computes it.
struct Problem {
  int cells;  // along a side of the grid
  int steps;  // iterations 0 to `steps`: one move more than this
  int k;      // particles move 2k+1 cells a step in x
  int m;      // and m in y
  int balance_every;
  bool load_is_time;  // what balancing goes by: measured running time, or the number of particles
  Distribution distribution;

  long moves() const { return steps + 1L; }
};

struct Options {
  Problem problem;
  std::string distribution;  // as it was given
  int threads_per_rank;
  Runs runs;
  bool checksum;  // is printed
  bool help;
};

// Errors: UsageError.
Options parse_options(int argc, char** argv);

extern const char kUsage[];

#endif  // DEMOS_PIC_OPTIONS_H_
