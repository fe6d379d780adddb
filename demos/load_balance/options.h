#ifndef DEMOS_LOAD_BALANCE_OPTIONS_H_
#define DEMOS_LOAD_BALANCE_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "demos/common/arguments.h"

struct Options {
  std::vector<std::string> inputs;  // directories or files
  std::string output;               // directory for .gz files; empty: none are written
  std::uint64_t bytes = 192u << 20;
  std::uint64_t piece_bytes = 4u << 20;
  int threads_per_rank = 48;
  int level = 9;
  bool balance = true;
  bool help = false;
};

// Errors: UsageError.
Options parse_options(int argc, char** argv);

extern const char kUsage[];

#endif  // DEMOS_LOAD_BALANCE_OPTIONS_H_
