#include "runtime/balance/load_model.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace roam::balance {
namespace {

constexpr struct {
  const char* name;
  LoadModel model;
} kModels[] = {{"last", last_load}, {"smoothed", smoothed_load}, {"trend", trend_load}};
static_assert(std::size(kModels) == kLoadModels);

// With fewer steps before it, all models foretell the same.
constexpr std::size_t kLeastBefore = 2;

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

Forecast forecast(std::span<const double> history_s) {
  history_s = history_s.last(std::min(history_s.size(), kForecastHistory));
  Forecast result;
  double most_s = 0;
  for (const double load_s : history_s) {
    if (is_measured(load_s)) most_s = std::max(most_s, load_s);
  }
  std::frexp(most_s, &result.exponent);
  double scaled[kForecastHistory];
  for (std::size_t step = 0; step < history_s.size(); ++step)
    scaled[step] = std::scalbn(history_s[step], -result.exponent);
  const std::span<const double> history(scaled, history_s.size());
  for (std::size_t m = 0; m < kLoadModels; ++m) {
    result.load[m] = kModels[m].model(history);
    for (std::size_t step = kLeastBefore; step < history.size(); ++step) {
      if (!is_measured(history[step])) continue;
      result.off[m][history.size() - 1 - step] =
          static_cast<float>(kModels[m].model(history.first(step)) - history[step]);
    }
  }
  return result;
}

void add(ModelErrors& rank, const Forecast& forecast) {
  for (std::size_t m = 0; m < kLoadModels; ++m) {
    for (std::size_t step = 0; step < kForecastSteps; ++step)
      rank[m][step] +=
          std::scalbn(static_cast<long double>(forecast.off[m][step]), forecast.exponent);
  }
}

void keep_worst(ModelErrors& worst, const ModelErrors& rank) {
  for (std::size_t m = 0; m < kLoadModels; ++m) {
    for (std::size_t step = 0; step < kForecastSteps; ++step)
      worst[m][step] = std::max(worst[m][step], std::abs(rank[m][step]));
  }
}

std::size_t best_model(const ModelErrors& worst) {
  std::array<long double, kLoadModels> sum_s{};
  for (std::size_t m = 0; m < kLoadModels; ++m) {
    for (const long double off_s : worst[m]) sum_s[m] += off_s;
  }
  return static_cast<std::size_t>(std::min_element(sum_s.begin(), sum_s.end()) - sum_s.begin());
}

std::size_t ModelChoice::best() const {
  ModelErrors worst{};
  for (const ModelErrors& rank : off_s_) keep_worst(worst, rank);
  return best_model(worst);
}

}  // namespace roam::balance
