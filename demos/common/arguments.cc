#include "demos/common/arguments.h"

#include <algorithm>
#include <charconv>

namespace {

template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number value{};
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

std::string not_allowed(const std::string& value, std::uint64_t low, std::uint64_t high) {
  return "'" + value + "' is not allowed: give a whole number from " + std::to_string(low) +
         " to " + std::to_string(high);
}

}  // namespace

Arguments::Arguments() {
  app_.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app_.set_help_flag();
  app_.add_flag("--help", help_);
}

void Arguments::read(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) help_ = help_ || std::string_view(argv[i]) == "--help";
  if (help_) return;
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
}

CLI::Validator whole_number(std::uint64_t low, std::uint64_t high) {
  return CLI::Validator(
      [low, high](const std::string& text) -> std::string {
        const bool digits = !text.empty() && (text.front() != '0' || text == "0");
        const auto value = digits ? parse<std::uint64_t>(text) : std::nullopt;
        return value && *value >= low && *value <= high ? "" : not_allowed(text, low, high);
      },
      "");
}

void check_whole(const std::string& name, std::uint64_t value, std::uint64_t low,
                 std::uint64_t high) {
  if (value >= low && value <= high) return;
  throw UsageError(name + ": " + not_allowed(std::to_string(value), low, high));
}

CLI::Validator byte_size() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        const std::string refusal =
            "'" + text +
            "' is no size: give a number of bytes from 1 to 2^62; K, M or G may follow it";
        const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
        const std::string suffix = text.substr(digits);
        if (digits == 0 || text.front() == '0') return refusal;
        if (!suffix.empty() && suffix != "K" && suffix != "M" && suffix != "G") return refusal;
        try {
          CLI::AsSizeValue(false)(text);
        } catch (const CLI::ParseError&) {
          return refusal;  // more than 64 bits
        }
        const auto bytes = parse<std::uint64_t>(text);
        return bytes && *bytes <= std::uint64_t{1} << 62 ? "" : refusal;
      },
      "");
}

std::optional<std::vector<double>> parse_numbers(std::string_view text) {
  std::vector<double> numbers;
  for (;;) {
    const std::size_t comma = text.find(',');
    const std::optional<double> number = parse<double>(text.substr(0, comma));
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    if (comma == std::string_view::npos) return numbers;
    text.remove_prefix(comma + 1);
  }
}

void add_runs(CLI::App& app, Runs& runs) {
  CLI::Option* compare = app.add_flag("--compare");
  CLI::Option* with = app.add_flag_callback("--balance", [&runs] { runs.without = false; });
  CLI::Option* without = app.add_flag_callback("--no-balance", [&runs] { runs.with = false; });
  compare->excludes(with, without);
  with->excludes(without);
}
