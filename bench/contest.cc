#include "bench/contest.h"

#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

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
  const std::string start = "--" + name + "=";
  for (const std::string& word : words) {
    if (word.rfind(start, 0) == 0) return word.substr(start.size());
  }
  return otherwise;
}

std::size_t Options::number(const std::string& name, std::size_t otherwise) const {
  const std::string value = text(name, std::to_string(otherwise));
  char* end = nullptr;
  const std::size_t number = std::strtoull(value.c_str(), &end, 10);
  if (*end == '\0' && end != value.c_str()) return number;
  std::fprintf(stderr, "--%s=%s: a whole number is needed\n", name.c_str(), value.c_str());
  std::exit(2);
}

Options read_options(int argc, char** argv, const char* question, const char* usage) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help") {
      std::printf("%s\n\n  --quick          short and inexact\n%s", question, usage);
      std::exit(0);
    }
    if (word == "--quick") {
      options.quick = true;
    } else {
      options.words.push_back(word);
    }
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
