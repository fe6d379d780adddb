#include "demos/common/arguments.h"

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

}  // namespace

std::optional<std::string> Arguments::text(std::string_view name) {
  std::optional<std::string> value;
  for (auto word = words_.begin(); word != words_.end();) {
    if (*word == name) {
      word = words_.erase(word);
      if (word == words_.end())
        throw UsageError("option '" + std::string(name) + "' needs a value");
      value = *word;
      word = words_.erase(word);
    } else if (word->starts_with(name) && (*word)[name.size()] == '=') {
      value = word->substr(name.size() + 1);
      word = words_.erase(word);
    } else {
      ++word;
    }
  }
  return value;
}

int Arguments::whole(std::string_view name, int otherwise, int low, int high) {
  const std::optional<std::string> given = text(name);
  if (!given) return otherwise;
  const std::optional<int> value = parse<int>(*given);
  if (!value || *value < low || *value > high) {
    throw UsageError(std::string(name) + " '" + *given +
                     "' is not allowed: give a whole number from " + std::to_string(low) + " to " +
                     std::to_string(high));
  }
  return *value;
}

bool Arguments::flag(std::string_view name) {
  return std::erase_if(words_, [&](const std::string& word) { return word == name; }) > 0;
}

void Arguments::end() const {
  if (!words_.empty()) throw UsageError("argument '" + words_.front() + "' is not known");
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

Runs take_runs(Arguments& arguments) {
  const bool compare = arguments.flag("--compare");
  const bool with = arguments.flag("--balance");
  const bool without = arguments.flag("--no-balance");
  if (compare + with + without > 1)
    throw UsageError("--compare, --balance and --no-balance exclude each other");
  return {.without = !with, .with = !without};
}
