#include "bench/contest.h"

#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>

#include "demos/common/arguments.h"

namespace bench {
namespace {

constexpr std::size_t kLeastRounds = 3;
constexpr std::size_t kMostRounds = 2000;
constexpr std::size_t kQuickRounds = 2;

std::string list(const std::vector<double>& values) {
  std::string text = "[";
  for (const double value : values) {
    char number[32];
    std::snprintf(number, sizeof number, "%s%.6g", text.size() > 1 ? "," : "", value);
    text += number;
  }
  return text + "]";
}

}  // namespace

std::int64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * std::int64_t{1'000'000'000} + t.tv_nsec;
}

std::string Options::text(const std::string& name, const std::string& otherwise) const {
  const auto at = texts.find(name);
  return at == texts.end() ? otherwise : at->second;
}

std::size_t Options::number(const std::string& name, std::size_t otherwise) const {
  const auto at = numbers.find(name);
  return at == numbers.end() ? otherwise : at->second;
}

Options read_options(int argc, char** argv, const char* question,
                     std::initializer_list<Option> known) {
  Options options;
  CLI::App app(question);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_flag("--quick", options.quick, "short and inexact");
  for (const Option& option : known) {
    const std::string name = option.name;
    if (option.is_text) {
      app.add_option_function<std::string>(
          "--" + name, [&options, name](const std::string& value) { options.texts[name] = value; },
          option.help);
    } else {
      app.add_option_function<std::size_t>(
             "--" + name, [&options, name](std::size_t value) { options.numbers[name] = value; },
             option.help)
          ->check(whole_number(0, std::numeric_limits<std::int64_t>::max()));
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  return options;
}

void print_row(const std::string& name, const char* unit, const std::vector<double>& measured,
               const std::vector<double>& floor, double bytes) {
  std::printf(
      "BENCH {\"name\": \"%s\", \"unit\": \"%s\", \"bytes\": %.0f, \"measured\": %s, \"floor\": "
      "%s}\n",
      name.c_str(), unit, bytes, list(measured).c_str(), list(floor).c_str());
  std::fflush(stdout);
}

std::size_t Contest::add(Slice slice) {
  contestants_.push_back({std::move(slice), {}});
  return contestants_.size() - 1;
}

void Contest::run(double seconds) {
  const std::size_t least = quick_ ? kQuickRounds : kLeastRounds;
  const std::size_t most = quick_ ? kQuickRounds : kMostRounds;
  if (!quick_) {
    for (Contestant& c : contestants_) c.slice();
  }
  const std::int64_t end_ns = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
  for (std::size_t round = 0; round < least || (round < most && now_ns() < end_ns); ++round) {
    for (Contestant& c : contestants_) c.samples.push_back(c.slice());
  }
}

void Contest::row(const std::string& name, std::size_t measured, std::size_t floor,
                  double bytes) const {
  print_row(name, "ns", contestants_[measured].samples, contestants_[floor].samples, bytes);
}

void Contest::row_alone(const std::string& name, std::size_t measured) const {
  print_row(name, "ns", contestants_[measured].samples, {});
}

}  // namespace bench
