#ifndef DEMOS_COMMON_ARGUMENTS_H_
#define DEMOS_COMMON_ARGUMENTS_H_

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// A bad command line; what() names the argument, its value and what is allowed.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A program's arguments, taken one by one: --name=VALUE, --name VALUE, --name. Of an option that is
// given twice, the last counts.
//
//   Arguments arguments(argc, argv);
//   options.steps = arguments.whole("--steps", 100, 1, 1000);
//   arguments.end();
//
// Errors, of all: UsageError.
class Arguments {
 public:
  Arguments(int argc, char** argv) : words_(argv + 1, argv + argc) {}

  // The value of option `name`, if it is given.
  std::optional<std::string> text(std::string_view name);
  // The same as a whole number from `low` to `high`; `otherwise` if it is not given.
  int whole(std::string_view name, int otherwise, int low, int high);
  // Whether `name`, which takes no value, is given.
  bool flag(std::string_view name);
  // All must have been taken by now.
  void end() const;

 private:
  std::vector<std::string> words_;
};

// All of `text` as numbers with commas between them; nothing if it is anything else.
std::optional<std::vector<double>> parse_numbers(std::string_view text);

// Which runs a demo does.
struct Runs {
  bool without = true;
  bool with = true;
};
// From --compare (both, the default), --balance (only with), --no-balance (only without).
Runs take_runs(Arguments& arguments);

#endif  // DEMOS_COMMON_ARGUMENTS_H_
