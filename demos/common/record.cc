#include "demos/common/record.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <thread>

namespace {

constexpr std::size_t kMostRows = 25;
constexpr std::size_t kWarmUp = 2;  // intervals: until loads have been measured and acted upon
constexpr int kBarColumns = 25;

std::string bar(double share) {
  return std::string(static_cast<std::size_t>(std::lround(share * kBarColumns)), '#');
}

int cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

// A line for each interval; if they are many, for some of them together.
void print_intervals(std::span<const Record> runs) {
  std::printf("\n  %6s", "step");
  for (const Record& run : runs) {
    std::printf("   %-*s", kBarColumns + 6,
                run.balanced ? "efficiency with balancing" : "efficiency without");
  }
  std::printf("%s\n", runs.back().balanced ? "   moved" : "");
  const std::size_t count = runs[0].intervals.size();
  const std::size_t together = (count + kMostRows - 1) / kMostRows;
  for (std::size_t first = 0; first < count; first += together) {
    const std::size_t last = std::min(first + together, count);
    std::printf("  %6d", runs[0].intervals[last - 1].last_step);
    int moved = 0;
    for (const Record& run : runs) {
      const Summary summary = summarise(run, first, last);
      std::printf("   %3.0f %% %-*s", 100 * summary.efficiency(), kBarColumns,
                  bar(summary.efficiency()).c_str());
      moved = summary.moved;
    }
    if (runs.back().balanced) std::printf("   %5d", moved);
    std::printf("\n");
  }
}

}  // namespace

Summary summarise(const Record& run, std::size_t first, std::size_t last) {
  Summary summary;
  for (std::size_t i = first; i < std::min(last, run.intervals.size()); ++i) {
    const Interval& interval = run.intervals[i];
    const std::vector<double>& busy = interval.busy_seconds;
    const double total = std::accumulate(busy.begin(), busy.end(), 0.0);
    const double largest = *std::max_element(busy.begin(), busy.end());
    summary.average_seconds += total / static_cast<double>(busy.size());
    summary.largest_seconds += largest;
    summary.balancing_seconds += interval.balancing_seconds;
    summary.moved += interval.moved;
  }
  return summary;
}

double least_seconds(const Record& run, int cores) {
  const double ranks = static_cast<double>(run.intervals.at(0).busy_seconds.size());
  return summarise(run, 0, run.intervals.size()).average_seconds * std::max(1.0, ranks / cores);
}

void print_runs(std::span<const Record> runs) {
  print_intervals(runs);
  const std::size_t count = runs[0].intervals.size();
  const std::size_t warm = std::min(kWarmUp, count - 1);
  const bool compared = runs.size() == 2;
  std::vector<Summary> all;
  for (const Record& run : runs) all.push_back(summarise(run, 0, count));

  std::printf("\n  %-16s", "");
  for (const Record& run : runs) std::printf("%12s", run.balanced ? "balanced" : "without");
  std::printf("\n  %-16s", "efficiency");
  for (const Record& run : runs)
    std::printf("%10.1f %%", 100 * summarise(run, warm, count).efficiency());
  std::printf("   mean over largest busy time of a rank, from step %d on\n",
              warm == 0 ? 0 : runs[0].intervals[warm - 1].last_step + 1);
  std::printf("  %-16s", "largest busy");
  for (const Summary& summary : all) std::printf("%10.3f s", summary.largest_seconds);
  std::printf("   %.3f s were ideal", all.back().average_seconds);
  if (compared) std::printf("; %.2f times less", all[0].largest_seconds / all[1].largest_seconds);
  std::printf("\n  %-16s", "start to end");
  for (const Record& run : runs) std::printf("%10.3f s", run.seconds);
  if (compared) {
    std::printf("   %.2f times as fast; with %d cores at most %.2f",
                runs[0].seconds / runs[1].seconds, cores(),
                runs[0].seconds / least_seconds(runs[1], cores()));
  }
  std::printf("\n");
  if (runs.back().balanced) {
    const Summary& last = all.back();
    std::printf("  %-16s%*.1f %%   of the run: %.1f ms for %d moves\n", "balancing",
                static_cast<int>(12 * runs.size() - 2),
                100 * last.balancing_seconds / runs.back().seconds, 1e3 * last.balancing_seconds,
                last.moved);
  }
}

std::string with_commas(long value) {
  std::string text = std::to_string(value);
  for (auto at = static_cast<long>(text.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}
