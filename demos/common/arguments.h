#ifndef DEMOS_COMMON_ARGUMENTS_H_
#define DEMOS_COMMON_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// A bad command line; what() names the argument, its value and what is allowed.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Arguments are read by CLI11: --name=VALUE, --name VALUE, --name. Of an option that is given
// twice, the last counts.
//
//   Arguments arguments;
//   arguments.app().add_option("--steps", steps)->check(whole_number(1, 1000));
//   arguments.read(argc, argv);
class Arguments {
 public:
  Arguments();
  CLI::App& app() { return app_; }
  // Whether --help is given; then nothing else has been looked at.
  bool help() const { return help_; }

  // Errors: UsageError.
  void read(int argc, char** argv);

 private:
  CLI::App app_;
  bool help_ = false;
};

// For CLI11's check(): decimal digits alone, from `low` to `high`. CLI11 2.1 itself takes -3 for an
// unsigned number as 2^64 - 3, and 010 as 8.
CLI::Validator whole_number(std::uint64_t low, std::uint64_t high);
// The same of a value that has been read.
//
// Errors: UsageError.
void check_whole(const std::string& name, std::uint64_t value, std::uint64_t low,
                 std::uint64_t high);

// For CLI11's transform(): a number of bytes, 1 or more, behind which may be K, M or G (powers of
// 1024).
CLI::Validator byte_size();

// All of `text` as numbers with commas between them; nothing if it is anything else.
std::optional<std::vector<double>> parse_numbers(std::string_view text);

// Which runs a demo does.
struct Runs {
  bool without = true;
  bool with = true;
};
// Adds --compare (both, the default), --balance (only with), --no-balance (only without), which
// exclude each other. `runs` must live when the arguments are read.
void add_runs(CLI::App& app, Runs& runs);

#endif  // DEMOS_COMMON_ARGUMENTS_H_
