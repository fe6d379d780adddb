#include "demos/load_balance/bands.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace {

// Adds a band of `height` to the columns from `begin` to `end`, where the last ones are new.
void add(Band& band, double begin, double end, double height) {
  for (double column = std::floor(begin); column < end; ++column) {
    const auto i = static_cast<std::size_t>(column) - band.first_column;
    if (i >= band.height.size()) band.height.resize(i + 1);
    band.height[i] += height * (std::min(column + 1, end) - std::max(column, begin));
  }
}

// The stay that begins with turns[first]: turns up to `end`, waiting since `since_ns`.
Band stay(const Result& result, std::size_t first, std::size_t end, std::int64_t since_ns,
          std::int64_t run_begin_ns, double column_ns) {
  auto column_of = [&](std::int64_t ns) {
    return static_cast<double>(ns - run_begin_ns) / column_ns;
  };
  Band band{&result, static_cast<std::size_t>(column_of(since_ns)), {}, {}};
  for (std::size_t i = first; i < end; ++i) {
    const Turn& turn = result.turns[i];
    std::int64_t round_ns = turn.end_ns - since_ns;
    // The first turn may come soon after the arrival; what a round takes shows at the second.
    if (i == first && i + 1 < end) {
      round_ns = std::max(round_ns, result.turns[i + 1].end_ns - turn.end_ns);
    }
    if (round_ns <= 0) continue;
    const double height = static_cast<double>(turn.cpu_ns) / static_cast<double>(round_ns);
    add(band, column_of(since_ns), column_of(turn.end_ns), height);
    since_ns = turn.end_ns;
  }
  return band;
}

// The stays of one thread, each into the lane of its rank.
void add_stays(const Result& result, std::int64_t run_begin_ns, double column_ns,
               std::vector<std::vector<Band>>& lanes) {
  std::int64_t since_ns = run_begin_ns;
  std::size_t first = 0;
  std::size_t moves = 0;
  while (first < result.turns.size()) {
    const std::int64_t arrival_ns = result.turns[first].begin_ns;
    for (; moves < result.moves.size() && result.moves[moves].end_ns <= arrival_ns; ++moves) {
      since_ns = result.moves[moves].end_ns;
    }
    const std::int64_t departure_ns =
        moves < result.moves.size() ? result.moves[moves].end_ns : INT64_MAX;
    std::size_t end = first;
    while (end < result.turns.size() && result.turns[end].begin_ns < departure_ns) ++end;
    auto& lane = lanes[static_cast<std::size_t>(result.turns[first].rank)];
    lane.push_back(stay(result, first, end, since_ns, run_begin_ns, column_ns));
    first = end;
  }
}

// What ran on each rank and when, exactly: at most one thread at a time.
void add_turns(const Result& result, std::int64_t run_begin_ns, double column_ns,
               std::vector<Band>& ranks) {
  for (const Turn& turn : result.turns) {
    const double begin = static_cast<double>(turn.begin_ns - run_begin_ns) / column_ns;
    const double end = static_cast<double>(turn.end_ns - run_begin_ns) / column_ns;
    if (end <= begin) continue;
    const double height = static_cast<double>(turn.cpu_ns) / column_ns / (end - begin);
    add(ranks[static_cast<std::size_t>(turn.rank)], begin, end, height);
  }
}

// Each value becomes the mean of its neighbours, where `counts` is not 0. The operating system
// gives a rank its core for some milliseconds and then to another: true, but not what the picture
// is about.
std::vector<double> smooth(const std::vector<double>& values, const std::vector<double>& counts) {
  constexpr std::size_t kReach = 8;
  std::vector<double> out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    double sum = 0;
    double count = 0;
    for (std::size_t k = i - std::min(i, kReach); k < std::min(i + kReach + 1, values.size());
         ++k) {
      if (counts[k] <= 0) continue;
      sum += values[k];
      ++count;
    }
    out[i] = count > 0 ? sum / count : 0;
  }
  return out;
}

// Places the bands of a lane on each other and makes them together as high as `busy`, what ran
// there.
void stack(std::vector<Band>& lane, std::vector<double> busy) {
  std::vector<double> total;
  for (Band& band : lane) {
    band.height = smooth(band.height, band.height);
    total.resize(std::max(total.size(), band.end_column()));
    for (std::size_t i = 0; i < band.height.size(); ++i) {
      total[band.first_column + i] += band.height[i];
    }
  }
  busy.resize(total.size());
  busy = smooth(smooth(busy, total), total);
  std::vector<double> top(total.size());
  for (Band& band : lane) {
    for (std::size_t i = 0; i < band.height.size(); ++i) {
      const std::size_t column = band.first_column + i;
      if (total[column] > 0) band.height[i] *= busy[column] / total[column];
      band.base.push_back(top[column]);
      top[column] += band.height[i];
    }
  }
}

}  // namespace

double Band::middle(double column) const {
  if (height.empty()) return 0;
  const double last = static_cast<double>(height.size() - 1);
  const double i = std::clamp(column - static_cast<double>(first_column), 0.0, last);
  const auto at = static_cast<std::size_t>(i);
  return base[at] + height[at] / 2;
}

std::vector<std::vector<Band>> bands_by_rank(const Run& run, int ranks, double column_ns) {
  std::vector<std::vector<Band>> lanes(static_cast<std::size_t>(ranks));
  std::vector<Band> busy(lanes.size());
  for (const Result& result : run.results) {
    add_stays(result, run.begin_ns, column_ns, lanes);
    add_turns(result, run.begin_ns, column_ns, busy);
  }
  for (std::size_t rank = 0; rank < lanes.size(); ++rank) stack(lanes[rank], busy[rank].height);
  return lanes;
}
