#ifndef ROAM_RUNTIME_BALANCE_LOAD_MODEL_H_
#define ROAM_RUNTIME_BALANCE_LOAD_MODEL_H_

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

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_LOAD_MODEL_H_
