#include "runtime/balance/load_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace roam::balance {
namespace {

constexpr struct {
  const char* name;
  LoadModel model;
} kModels[] = {{"last", last_load}, {"smoothed", smoothed_load}, {"trend", trend_load}};

bool is_measured(double load_s) { return std::isfinite(load_s) && load_s >= 0; }

// Sums of enormous loads may be infinite, or no number at all.
double as_load(double predicted_s) {
  if (!(predicted_s > 0)) return 0;
  return std::min(predicted_s, std::numeric_limits<double>::max());
}

}  // namespace

double last_load(std::span<const double> history_s) {
  const auto newest = std::find_if(history_s.rbegin(), history_s.rend(), is_measured);
  return newest != history_s.rend() ? *newest : 0;
}

double smoothed_load(std::span<const double> history_s) {
  double smoothed_s = -1;
  for (const double load_s : history_s) {
    if (!is_measured(load_s)) continue;
    smoothed_s = smoothed_s < 0 ? load_s : kSmoothing * load_s + (1 - kSmoothing) * smoothed_s;
  }
  return std::max(smoothed_s, 0.0);
}

double trend_load(std::span<const double> history_s) {
  const std::size_t window = std::min(history_s.size(), kTrendWindow);
  // Times count back from the next step, which is 0: the line's value there is its intercept.
  double count = 0, mean_t = 0, mean_s = 0;
  for (std::size_t back = 1; back <= window; ++back) {
    const double load_s = history_s[history_s.size() - back];
    if (!is_measured(load_s)) continue;
    ++count;
    mean_t += (-static_cast<double>(back) - mean_t) / count;
    mean_s += (load_s - mean_s) / count;
  }
  if (count < 2) return last_load(history_s);
  double covariance = 0, variance = 0;
  for (std::size_t back = 1; back <= window; ++back) {
    const double load_s = history_s[history_s.size() - back];
    if (!is_measured(load_s)) continue;
    const double t = -static_cast<double>(back) - mean_t;
    covariance += t * (load_s - mean_s);
    variance += t * t;
  }
  return as_load(mean_s - covariance / variance * mean_t);
}

LoadModel find_load_model(std::string_view name) {
  for (const auto& [known, model] : kModels) {
    if (name == known) return model;
  }
  return nullptr;
}

std::vector<std::string_view> load_model_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, model] : kModels) names.push_back(name);
  return names;
}

}  // namespace roam::balance
