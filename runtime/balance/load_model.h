#ifndef ROAM_RUNTIME_BALANCE_LOAD_MODEL_H_
#define ROAM_RUNTIME_BALANCE_LOAD_MODEL_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace roam::balance {

// A pure function from the measured loads of one thread, in seconds, the oldest first, to its load
// in the next step. Values that are negative or not finite count as not measured. Never negative,
// always finite; 0 without a measured value.
using LoadModel = double (*)(std::span<const double> history_s);

// The next step is as the last.
double last_load(std::span<const double> history_s);

// Exponentially smoothed, the newest value with weight kSmoothing: for loads that jump about.
double smoothed_load(std::span<const double> history_s);
inline constexpr double kSmoothing = 0.4;

// The line of least squares through the newest kTrendWindow values, one step on; not below zero:
// for loads that grow or shrink steadily.
double trend_load(std::span<const double> history_s);
inline constexpr std::size_t kTrendWindow = 5;

// The model of that name ("last", "smoothed", "trend"); null if there is none.
LoadModel find_load_model(std::string_view name);
std::vector<std::string_view> load_model_names();

// What each model, in the order of load_model_names(), foretells of one thread, and how far off it
// was about the last kForecastSteps steps, the newest first: foretold, from what was before the
// step, less measured. 0 where it cannot be said. All in units of 2^exponent seconds, by the
// largest load of the history: so that what is said of loads of any size is what is said of loads
// near 1.
inline constexpr std::size_t kLoadModels = 3;
inline constexpr std::size_t kForecastSteps = 4;
struct Forecast {
  int exponent = 0;
  std::array<double, kLoadModels> load{};
  std::array<std::array<float, kForecastSteps>, kLoadModels> off{};

  // A long double holds the largest and the smallest double, and sums and multiples of them.
  long double load_s(std::size_t model) const {
    return std::scalbn(static_cast<long double>(load[model]), exponent);
  }
};
Forecast forecast(std::span<const double> history_s);
// The steps that forecast() looks at; older ones do not count.
inline constexpr std::size_t kForecastHistory = kForecastSteps + 2;

// Which model would have foretold a group of threads best. What counts is what a plan would have
// seen: the errors of the threads of a rank add up, those that are random cancel, and the rank that
// is furthest off tells. Errors thread by thread would tell of the noise instead.
//
// The steps of it, for who has the ranks' sums one by one: the errors of a rank's threads add up;
// of the ranks the worst is kept, whatever its sign; the model with the least is best, the first of
// equals, by its place in load_model_names().
using ModelErrors = std::array<std::array<long double, kForecastSteps>, kLoadModels>;
void add(ModelErrors& rank, const Forecast& forecast);
void keep_worst(ModelErrors& worst, const ModelErrors& rank);
std::size_t best_model(const ModelErrors& worst);

// All of it, for who sees every thread.
class ModelChoice {
 public:
  explicit ModelChoice(std::size_t ranks) : off_s_(ranks) {}
  void add(std::size_t rank, const Forecast& forecast) { balance::add(off_s_[rank], forecast); }
  std::size_t best() const;

 private:
  std::vector<ModelErrors> off_s_;  // by rank
};

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_LOAD_MODEL_H_
