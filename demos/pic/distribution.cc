#include "demos/pic/distribution.h"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <optional>
#include <string>

#include "demos/common/arguments.h"

namespace {

constexpr std::uint64_t kSeed = 0x9e3779b97f4a7c15;

// A random number in [0, 1) that belongs to `index` (splitmix64).
double random_of(std::uint64_t index) {
  std::uint64_t z = (index + 1) * kSeed;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

[[noreturn]] void refuse(std::string_view text, const char* reason) {
  throw UsageError("--distribution: '" + std::string(text) + "' " + reason);
}

}  // namespace

Distribution::Distribution(std::string_view text, int cells, double particles)
    : column_means_(static_cast<std::size_t>(cells)), bottom_(0), top_(cells - 1) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  std::vector<double> numbers;
  if (colon != std::string_view::npos) {
    std::optional<std::vector<double>> given = parse_numbers(text.substr(colon + 1));
    if (!given) refuse(text, "has something other than numbers with commas after its colon");
    numbers = std::move(*given);
  }

  // First the shape, then the height that makes it `particles` in all.
  auto shape = [&](std::size_t parameters, const char* form, auto mean_of_column) {
    if (numbers.size() != parameters) refuse(text, form);
    for (int x = 0; x < cells; ++x)
      column_means_[static_cast<std::size_t>(x)] = mean_of_column(static_cast<double>(x));
  };
  if (name == "geometric") {
    shape(1, "is not geometric:RHO", [&](double x) { return std::pow(numbers[0], x); });
    if (!(numbers[0] > 0)) refuse(text, "needs a RHO of more than 0");
  } else if (name == "sinusoidal") {
    shape(0, "takes no numbers", [&](double x) {
      const double cosine = std::cos(std::numbers::pi * x / cells);
      return cosine * cosine;
    });
  } else if (name == "linear") {
    shape(2, "is not linear:ALPHA,BETA",
          [&](double x) { return numbers[1] - numbers[0] * x / cells; });
  } else if (name == "patch") {
    shape(4, "is not patch:LEFT,RIGHT,BOTTOM,TOP",
          [&](double x) { return x >= numbers[0] && x <= numbers[1] ? 1.0 : 0.0; });
    const double most = cells - 1;
    for (const double number : numbers) {
      if (!(number >= 0 && number <= most)) refuse(text, "reaches beyond the grid");
    }
    bottom_ = static_cast<int>(std::ceil(numbers[2]));
    top_ = static_cast<int>(numbers[3]);
  } else {
    refuse(text, "is not known: give geometric, sinusoidal, linear or patch");
  }

  for (const double mean : column_means_) {
    if (!(mean >= 0)) refuse(text, "would have fewer than no particles somewhere");
  }
  const double total =
      std::accumulate(column_means_.begin(), column_means_.end(), 0.0) * (top_ - bottom_ + 1);
  if (!(total > 0) || !std::isfinite(total)) refuse(text, "has no cells with particles");
  for (double& mean : column_means_) mean *= particles / total;
}

double Distribution::mean(int x, int y) const {
  return y >= bottom_ && y <= top_ ? column_means_[static_cast<std::size_t>(x)] : 0;
}

int Distribution::count(int x, int y) const {
  const auto cell =
      static_cast<std::uint64_t>(x) * column_means_.size() + static_cast<std::uint64_t>(y);
  return static_cast<int>(std::floor(mean(x, y) + random_of(cell)));
}
