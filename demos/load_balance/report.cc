#include "demos/load_balance/report.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <thread>

namespace {

constexpr std::int64_t kLineEveryNs = 1'000'000'000;       // where output is no terminal
constexpr std::int64_t kTerminalLineEveryNs = 50'000'000;  // where it is
constexpr int kBarColumns = 22;

std::string in_unit(double value, const char* unit) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.1f %s" : "%.0f %s", value, unit);
  return text;
}

std::string bar(double share) {
  const double columns = std::clamp(share, 0.0, 1.0) * kBarColumns;
  return std::string(static_cast<std::size_t>(std::lround(columns)), '#');
}

double largest(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

// The totals of a run, as a row for each rank and one below.
void print_table(const std::vector<Run>& runs, const std::vector<Summary>& summaries, int ranks) {
  std::vector<double> dealt_bytes(static_cast<std::size_t>(ranks));
  for (const Result& result : runs[0].results) {
    dealt_bytes[static_cast<std::size_t>(result.home)] += static_cast<double>(result.piece.bytes);
  }
  double most = 0;
  for (const Summary& summary : summaries) most = std::max(most, largest(summary.busy_seconds));

  std::printf("\n  %-12s%10s", "", "dealt");
  for (const Run& run : runs) {
    std::printf("   %-*s", kBarColumns + 9,
                run.balanced ? "busy, with balancing" : "busy, without");
  }
  std::printf("\n");
  for (int rank = 0; rank < ranks; ++rank) {
    const auto r = static_cast<std::size_t>(rank);
    std::printf("  rank %-7d%10s", rank, in_bytes(dealt_bytes[r]).c_str());
    for (const Summary& summary : summaries) {
      const double busy = summary.busy_seconds[r];
      std::printf("   %6.2f s %-*s", busy, kBarColumns, bar(most > 0 ? busy / most : 0).c_str());
    }
    std::printf("\n");
  }
  std::printf("  %-22s", "efficiency");
  for (const Summary& summary : summaries) {
    std::printf("   %6.0f %% %-*s", 100 * summary.efficiency, kBarColumns, "");
  }
  std::printf("\n  %-22s", "start to end");
  for (const Summary& summary : summaries) {
    std::printf("   %6.2f s %-*s", summary.makespan_seconds, kBarColumns, "");
  }
  std::printf("\n\n");
}

void print_moves(const Run& run, const Summary& summary, std::span<const double> hop_seconds) {
  std::vector<double> seconds;
  double bytes = 0;
  double sent_bytes = 0;
  for (const Move& move : summary.moves) {
    seconds.push_back(1e-9 * static_cast<double>(move.end_ns - move.begin_ns));
    bytes += static_cast<double>(move.state_bytes);
    if (move.between_nodes) sent_bytes += static_cast<double>(move.state_bytes);
  }
  std::printf("  moved      %zu of %zu threads, %zu moves, in the middle of their streams\n",
              summary.moved_threads, run.results.size(), summary.moves.size());
  if (!seconds.empty()) {
    std::printf(
        "  luggage    %s of streams and buffers: %s to other nodes, %s handed over in place\n",
        in_bytes(bytes).c_str(), in_bytes(sent_bytes).c_str(),
        in_bytes(bytes - sent_bytes).c_str());
    std::printf("  a move     %s median, %s at most, from request to running on in its turn\n",
                in_seconds(median(seconds)).c_str(), in_seconds(largest(seconds)).c_str());
  }
  if (!hop_seconds.empty()) {
    const std::vector<double> hops(hop_seconds.begin(), hop_seconds.end());
    std::printf("             %s median, %s at most, between ranks that are idle\n",
                in_seconds(median(hops)).c_str(), in_seconds(largest(hops)).c_str());
  }
}

}  // namespace

Summary summarise(const Run& run, int ranks) {
  Summary summary;
  summary.busy_seconds.resize(static_cast<std::size_t>(ranks));
  std::int64_t end_ns = run.begin_ns;
  for (const Result& result : run.results) {
    for (const Turn& turn : result.turns) {
      summary.busy_seconds[static_cast<std::size_t>(turn.rank)] +=
          1e-9 * static_cast<double>(turn.cpu_ns);
      end_ns = std::max(end_ns, turn.end_ns);
    }
    summary.moved_threads += !result.moves.empty();
    summary.moves.insert(summary.moves.end(), result.moves.begin(), result.moves.end());
  }
  const auto& busy = summary.busy_seconds;
  const double most = largest(busy);
  if (most > 0) {
    summary.efficiency = std::accumulate(busy.begin(), busy.end(), 0.0) / (most * ranks);
  }
  summary.makespan_seconds = 1e-9 * static_cast<double>(end_ns - run.begin_ns);
  return summary;
}

std::string in_bytes(double bytes) {
  if (bytes < 1024) return std::to_string(std::lround(bytes)) + " B";
  if (bytes < 1024.0 * 1024) return in_unit(bytes / 1024, "KiB");
  if (bytes < 1024.0 * 1024 * 1024) return in_unit(bytes / (1024.0 * 1024), "MiB");
  return in_unit(bytes / (1024.0 * 1024 * 1024), "GiB");
}

std::string in_seconds(double seconds) {
  if (seconds < 1e-3) return in_unit(1e6 * seconds, "us");
  if (seconds < 1) return in_unit(1e3 * seconds, "ms");
  return in_unit(seconds, "s");
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

const char* title_of(bool balanced) { return balanced ? "with balancing" : "without balancing"; }

Progress::Progress(bool balanced, std::uint64_t total_bytes)
    : title_(title_of(balanced)),
      total_bytes_(total_bytes),
      terminal_(isatty(STDOUT_FILENO) != 0) {}

void Progress::show(std::uint64_t done_bytes, std::span<const double> seconds_left,
                    std::size_t moves, bool over) {
  // A thread that moves meanwhile is seen on neither of two ranks, or on both, so what is seen can
  // shrink or be more than there is; what is done cannot.
  done_bytes_ = over ? total_bytes_ : std::min(std::max(done_bytes_, done_bytes), total_bytes_);
  const std::int64_t now = now_ns();
  if (now < next_ns_ && !over) return;
  next_ns_ = now + (terminal_ ? kTerminalLineEveryNs : kLineEveryNs);

  std::string left;
  constexpr std::size_t kRanksShown = 8;
  for (std::size_t i = 0; i < std::min(seconds_left.size(), kRanksShown); ++i) {
    char text[32];
    std::snprintf(text, sizeof text, " %5.2f", seconds_left[i]);
    left += text;
  }
  if (seconds_left.size() > kRanksShown) left += " ...";
  std::printf("%s  %-17s  %3.0f %%   seconds of work left by rank:%s   moves: %zu%s",
              terminal_ ? "\r" : "", title_,
              100.0 * static_cast<double>(done_bytes_) / static_cast<double>(total_bytes_),
              left.c_str(), moves, terminal_ ? "  " : "\n");
  std::fflush(stdout);
}

void Progress::end() {
  if (terminal_) std::printf("\n");
}

void print_report(const std::vector<Run>& runs, int ranks, std::span<const double> hop_seconds) {
  std::vector<Summary> summaries;
  summaries.reserve(runs.size());
  for (const Run& run : runs) summaries.push_back(summarise(run, ranks));
  print_table(runs, summaries, ranks);
  if (runs.back().balanced) print_moves(runs.back(), summaries.back(), hop_seconds);
}

std::string machine_note(int ranks) {
  const unsigned cores = std::thread::hardware_concurrency();
  std::string note = std::to_string(ranks) + (ranks == 1 ? " rank, " : " ranks, ") +
                     std::to_string(cores) + (cores == 1 ? " core. " : " cores. ") +
                     "Busy is CPU time of the threads";
  if (static_cast<unsigned>(ranks) > cores) {
    note += "; start to end also shows how few the cores are";
  }
  return note + ".";
}
