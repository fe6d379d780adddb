#include "demos/load_balance/timeline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "demos/load_balance/bands.h"
#include "demos/load_balance/report.h"
#include "demos/load_balance/svg.h"

namespace {

// The page, in pixels at 100 %.
constexpr double kPageWidth = 1280;
constexpr double kPlotLeft = 92;
constexpr double kPlotRight = 1104;
constexpr double kBusyLeft = kPlotRight + 22;
constexpr double kBusyWidth = 84;  // of the longest bar
constexpr double kRunsTop = 88;
constexpr double kHeadingHeight = 42;
constexpr double kAxisHeight = 50;
constexpr double kLaneGap = 14;
constexpr double kLegendHeight = 74;
constexpr double kColumnWidth = 2;
constexpr double kThinBand = 2.5;
constexpr double kGlyphWidth = 6.4;  // of a letter of a band's label, about
constexpr double kLabelHeight = 13;

constexpr const char kStyle[] = R"(<style>
  text { font-family: Inter, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif;
         font-size: 13px; fill: #1d2733; }
  .title { font-size: 22px; font-weight: 600; }
  .heading { font-size: 16px; font-weight: 600; }
  .soft { fill: #5d6b7a; }
  .right { text-anchor: end; }
  .tick { fill: #5d6b7a; text-anchor: middle; font-size: 12px; }
  .label { font-size: 11px; fill: #ffffff; text-anchor: middle; pointer-events: none; }
  .lane { fill: #f3f5f8; }
  .grid { stroke: #dce1e8; }
  .band:hover { stroke: #1d2733; stroke-width: 1.5; }
  .halo { fill: none; stroke: #ffffff; stroke-width: 3.4; stroke-opacity: 0.7; }
  .arc { fill: none; stroke-width: 1.5; }
  .dot { stroke: #ffffff; stroke-width: 1; }
  .finish { stroke: #1d2733; stroke-width: 1.5; stroke-dasharray: 4 3; }
</style>
)";

enum class Shade { kBand, kLine };

// Hue by the rank that a thread was dealt to, lightness by thread, unlike its neighbours'.
std::string colour_of(int home, int thread, Shade shade) {
  constexpr std::array<double, 6> kHues = {255, 50, 155, 340, 90, 205};
  const auto h = static_cast<std::size_t>(home);
  const double hue = h < kHues.size() ? kHues[h] : std::fmod(home * 137.508, 360);
  if (shade == Shade::kLine) return oklch(0.42, 0.13, hue);
  const double step = std::fmod(thread * 0.618034, 1);
  return oklch(0.54 + 0.20 * step, 0.13 - 0.03 * step, hue);
}

std::string file_name(const Result& result) {
  return result.piece.path.substr(result.piece.path.rfind('/') + 1);
}

// What a viewer shows where the mouse rests.
std::string tooltip(const Result& result) {
  std::string text = escaped(result.piece.path) + ", " +
                     in_bytes(static_cast<double>(result.piece.bytes)) + ", rank " +
                     std::to_string(result.home);
  for (const Move& move : result.moves) text += " → " + std::to_string(move.to);
  return "<title>" + text + "</title>";
}

// Ticks at 1, 2 or 5 times a power of ten, about ten of them.
double tick_step(double end_seconds) {
  const double rough = end_seconds / 10;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1, 2, 5}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

class Drawing {
 public:
  Drawing(std::ostream& out, const std::vector<Run>& runs, int ranks);
  void draw(const std::string& caption);

 private:
  using Lanes = std::vector<std::vector<Band>>;

  double run_top(std::size_t run) const {
    return kRunsTop + static_cast<double>(run) * run_height_;
  }
  double lane_top(std::size_t run, int rank) const {
    return run_top(run) + kHeadingHeight + rank * (lane_height_ + kLaneGap);
  }
  double lane_bottom(std::size_t run, int rank) const { return lane_top(run, rank) + lane_height_; }
  double x_of(double seconds) const {
    return kPlotLeft + seconds / end_seconds_ * (kPlotRight - kPlotLeft);
  }

  void draw_run(std::size_t run);
  void draw_heading(std::size_t run);
  void draw_axis(std::size_t run);
  void draw_busy(std::size_t run, int rank);
  void draw_band(std::size_t run, int rank, const Band& band);
  void draw_label(const Band& band, const std::vector<Point>& top,
                  const std::vector<Point>& bottom);
  void draw_move(std::size_t run, const Result& result, const Move& move);
  Point end_of_arc(std::size_t run, const Result& result, int rank, std::int64_t ns) const;
  void draw_legend(const std::string& caption);

  std::ostream& out_;
  const std::vector<Run>& runs_;
  const int ranks_;
  std::vector<Summary> summaries_;
  double end_seconds_ = 1e-6;
  double most_busy_seconds_ = 1e-9;
  double most_share_ = 0.1;   // of a core: the height of a lane
  std::vector<Lanes> lanes_;  // by run
  double lane_height_;
  double run_height_;
};

Drawing::Drawing(std::ostream& out, const std::vector<Run>& runs, int ranks)
    : out_(out), runs_(runs), ranks_(ranks) {
  for (const Run& run : runs) {
    const Summary& summary = summaries_.emplace_back(summarise(run, ranks));
    end_seconds_ = std::max(end_seconds_, 1.02 * summary.makespan_seconds);
    for (const double busy : summary.busy_seconds) {
      most_busy_seconds_ = std::max(most_busy_seconds_, busy);
    }
  }
  const double column_ns = 1e9 * end_seconds_ * kColumnWidth / (kPlotRight - kPlotLeft);
  for (const Run& run : runs) {
    for (const std::vector<Band>& lane :
         lanes_.emplace_back(bands_by_rank(run, ranks, column_ns))) {
      for (const Band& band : lane) {
        for (std::size_t i = 0; i < band.height.size(); ++i) {
          most_share_ = std::max(most_share_, band.base[i] + band.height[i]);
        }
      }
    }
  }
  most_share_ = std::ceil(10 * most_share_ - 0.01) / 10;
  lane_height_ = std::clamp(336.0 / ranks, 24.0, 96.0);
  run_height_ = kHeadingHeight + ranks * (lane_height_ + kLaneGap) + kAxisHeight;
}

void Drawing::draw(const std::string& caption) {
  const double height = run_top(runs_.size()) + kLegendHeight;
  out_ << format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\"", kPageWidth,
                 height)
       << format(" width=\"%.0f\" height=\"%.0f\">\n", kPageWidth, height) << kStyle
       << "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
       << text_at({kPlotLeft, 44}, "title",
                  format("Roam: %zu threads compress files on %d %s", runs_[0].results.size(),
                         ranks_, ranks_ == 1 ? "rank" : "ranks"))
       << text_at(
              {kPlotLeft, 68}, "soft",
              "A band is a thread, as high as its share of a core; a lane's coloured area is the "
              "rank's busy time. An arc is a migration in the middle of a zlib stream.");
  for (std::size_t run = 0; run < runs_.size(); ++run) draw_run(run);
  draw_legend(caption);
  out_ << "</svg>\n";
}

void Drawing::draw_run(std::size_t run) {
  draw_heading(run);
  draw_axis(run);
  for (int rank = 0; rank < ranks_; ++rank) {
    draw_busy(run, rank);
    for (const Band& band : lanes_[run][static_cast<std::size_t>(rank)]) draw_band(run, rank, band);
  }
  for (const Result& result : runs_[run].results) {
    for (const Move& move : result.moves) draw_move(run, result, move);
  }
}

void Drawing::draw_heading(std::size_t run) {
  const Summary& summary = summaries_[run];
  std::string facts = format("efficiency %.0f %%,  %.2f s from start to end",
                             100 * summary.efficiency, summary.makespan_seconds);
  if (runs_[run].balanced) {
    std::vector<double> seconds;
    for (const Move& move : summary.moves) {
      seconds.push_back(1e-9 * static_cast<double>(move.end_ns - move.begin_ns));
    }
    facts += format(",  %zu moves of %zu threads", summary.moves.size(), summary.moved_threads);
    if (!seconds.empty()) {
      facts += ",  median " + in_seconds(median(seconds)) + " from request to running on";
    }
  }
  const double y = run_top(run) + 22;
  out_ << text_at({kPlotLeft, y}, "heading",
                  runs_[run].balanced ? "With balancing" : "Without balancing")
       << text_at({kPlotLeft + 190, y}, "soft", facts)
       << text_at({kBusyLeft, y}, "soft", "busy (CPU time)");
}

void Drawing::draw_axis(std::size_t run) {
  const double top = lane_top(run, 0);
  const double bottom = lane_bottom(run, ranks_ - 1);
  for (int rank = 0; rank < ranks_; ++rank) {
    out_ << format("<rect class=\"lane\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
                   kPlotLeft, lane_top(run, rank), kPlotRight - kPlotLeft, lane_height_);
  }
  const double step = tick_step(end_seconds_);
  const int decimals = step < 0.1 ? (step < 0.01 ? 3 : 2) : (step < 1 ? 1 : 0);
  for (int i = 0; i * step <= end_seconds_; ++i) {
    const double x = x_of(i * step);
    out_ << format("<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", x, x,
                   top, bottom + 5)
         << text_at({x, bottom + 20}, "tick", format("%.*f s", decimals, i * step));
  }
  const double x = x_of(summaries_[run].makespan_seconds);
  out_ << format("<line class=\"finish\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", x, x,
                 top - 6, bottom + 5);
}

void Drawing::draw_busy(std::size_t run, int rank) {
  const double busy = summaries_[run].busy_seconds[static_cast<std::size_t>(rank)];
  const double middle = lane_top(run, rank) + lane_height_ / 2;
  const double width = std::max(1.0, kBusyWidth * busy / most_busy_seconds_);
  const double height = std::min(18.0, lane_height_ * 0.6);
  out_ << text_at({kPlotLeft - 14, middle + 4.5}, "right", format("rank %d", rank))
       << format(
              "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\" "
              "fill=\"#8c9aab\"/>\n",
              kBusyLeft, middle - height / 2, width, height)
       << text_at({kBusyLeft + width + 6, middle + 4.5}, "", format("%.2f s", busy));
}

void Drawing::draw_band(std::size_t run, int rank, const Band& band) {
  if (band.height.empty()) return;
  std::vector<Point> top;
  std::vector<Point> bottom;
  for (std::size_t i = 0; i <= band.height.size(); ++i) {
    const std::size_t at = std::min(i, band.height.size() - 1);
    const double x = kPlotLeft + kColumnWidth * static_cast<double>(band.first_column + i);
    const double y = lane_bottom(run, rank) - lane_height_ * band.base[at] / most_share_;
    bottom.push_back({x, y});
    top.push_back({x, y - lane_height_ * band.height[at] / most_share_});
  }
  // A white border parts bands that are thick enough; else one of its own colour closes the seam.
  const double thick = lane_height_ / most_share_ *
                       std::accumulate(band.height.begin(), band.height.end(), 0.0) /
                       static_cast<double>(band.height.size());
  const Result& result = *band.result;
  const std::string colour = colour_of(result.home, result.thread, Shade::kBand);
  const bool thin = thick < kThinBand;
  out_ << format("<path class=\"band\" fill=\"%s\" stroke=\"%s\" stroke-width=\"%.1f\" d=\"",
                 colour.c_str(), thin ? colour.c_str() : "#ffffff", thin ? 0.2 : 0.5)
       << area(top, bottom) << "\">" << tooltip(result) << "</path>\n";
  draw_label(band, top, bottom);
}

// Names the file inside the band, at the first place that is wide and high enough.
void Drawing::draw_label(const Band& band, const std::vector<Point>& top,
                         const std::vector<Point>& bottom) {
  const std::string name = file_name(*band.result);
  const double width = kGlyphWidth * static_cast<double>(name.size()) + 8;
  double ceiling = 0;
  double floor = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < top.size(); ++i) {
    if (begin == i) {
      ceiling = top[i].y;
      floor = bottom[i].y;
    }
    ceiling = std::max(ceiling, top[i].y);
    floor = std::min(floor, bottom[i].y);
    if (floor - ceiling < kLabelHeight) {
      begin = i + 1;
    } else if (top[i].x - top[begin].x >= width) {
      out_ << text_at({(top[i].x + top[begin].x) / 2, (ceiling + floor) / 2 + 4}, "label", name);
      return;
    }
  }
}

// Where on the thread's band in the lane of `rank` a move at `ns` begins or ends.
Point Drawing::end_of_arc(std::size_t run, const Result& result, int rank, std::int64_t ns) const {
  const double x = x_of(1e-9 * static_cast<double>(ns - runs_[run].begin_ns));
  const double column = (x - kPlotLeft) / kColumnWidth;
  double share = 0;
  double nearest = 1e9;
  for (const Band& band : lanes_[run][static_cast<std::size_t>(rank)]) {
    if (band.result != &result) continue;
    const double distance = std::max({0.0, static_cast<double>(band.first_column) - column,
                                      column - static_cast<double>(band.end_column())});
    if (distance >= nearest) continue;
    nearest = distance;
    share = band.middle(column);
  }
  return {x, lane_bottom(run, rank) - lane_height_ * share / most_share_};
}

void Drawing::draw_move(std::size_t run, const Result& result, const Move& move) {
  const Point a = end_of_arc(run, result, move.from, move.begin_ns);
  const Point b = end_of_arc(run, result, move.to, move.end_ns);
  // Moves of one moment fan out.
  const double fan = std::fmod(result.thread * 0.618034, 1);
  const double bow = 8 + (0.02 + 0.16 * fan) * std::abs(b.y - a.y);
  const double lift = 0.2 * (b.y - a.y);
  const std::string arc = format("M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f", a.x, a.y, a.x + bow,
                                 a.y + lift, b.x + bow, b.y - lift, b.x, b.y);
  const std::string colour = colour_of(result.home, result.thread, Shade::kLine);
  out_ << "<g>" << tooltip(result) << "<path class=\"halo\" d=\"" << arc
       << "\"/><path class=\"arc\" stroke=\"" << colour << "\" d=\"" << arc << "\"/>";
  for (const auto& [at, radius] : {std::pair(a, 2.2), std::pair(b, 3.4)}) {
    out_ << format("<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>", at.x,
                   at.y, radius, colour.c_str());
  }
  out_ << "</g>\n";
}

void Drawing::draw_legend(const std::string& caption) {
  constexpr double kSwatch = 14;
  constexpr int kShades = 4;
  constexpr int kHomesShown = 6;
  const double y = run_top(runs_.size()) + 14;
  out_ << text_at({kPlotLeft, y}, "", "dealt to");
  double x = kPlotLeft + 66;
  for (int home = 0; home < std::min(ranks_, kHomesShown); ++home) {
    for (int i = 0; i < kShades; ++i, x += kSwatch) {
      out_ << format("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>", x,
                     y - kSwatch + 2, kSwatch, kSwatch, colour_of(home, i, Shade::kBand).c_str());
    }
    out_ << text_at({x + 7, y}, "", format("rank %d", home));
    x += 70;
  }
  x += 12;
  out_ << format("<path class=\"arc\" stroke=\"#3c4856\" d=\"M%.1f %.1f q 9 -15 24 -9\"/>", x,
                 y + 1)
       << format("<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.4\" fill=\"#3c4856\"/>",
                 x + 24, y - 8)
       << text_at({x + 36, y}, "", "a move, to the large dot")
       << text_at({kPlotLeft, y + 28}, "soft",
                  format("%s A lane's full height is %.0f %% of a core.", caption.c_str(),
                         100 * most_share_));
}

}  // namespace

void draw_timeline(std::ostream& out, const std::vector<Run>& runs, int ranks,
                   const std::string& caption) {
  Drawing(out, runs, ranks).draw(caption);
}
