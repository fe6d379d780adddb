#include "demos/load_balance/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstddef>
#include <cstdio>

namespace {

// Copies to `out` the points of line[first, last) that a line through few points needs, within
// kSame pixels of height; line[last] is the caller's. Source: Ramer 1972, Douglas and Peucker 1973.
void simplify(const std::vector<Point>& line, std::size_t first, std::size_t last,
              std::vector<Point>& out) {
  constexpr double kSame = 0.12;
  const double slope = (line[last].y - line[first].y) / (line[last].x - line[first].x);
  std::size_t farthest = first;
  double most = kSame;
  for (std::size_t i = first + 1; i < last; ++i) {
    const double off = line[i].y - line[first].y - slope * (line[i].x - line[first].x);
    if (std::abs(off) <= most) continue;
    most = std::abs(off);
    farthest = i;
  }
  if (farthest == first) {
    out.push_back(line[first]);
    return;
  }
  simplify(line, first, farthest, out);
  simplify(line, farthest, last, out);
}

std::vector<Point> simplified(const std::vector<Point>& line) {
  std::vector<Point> out;
  if (line.empty()) return out;
  if (line.size() > 1) simplify(line, 0, line.size() - 1, out);
  out.push_back(line.back());
  return out;
}

}  // namespace

std::string format(const char* pattern, ...) {
  std::array<char, 1024> text;
  va_list values;
  va_start(values, pattern);
  std::vsnprintf(text.data(), text.size(), pattern, values);
  va_end(values);
  return text.data();
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

std::string text_at(Point at, std::string_view style, std::string_view text) {
  return format("<text class=\"%.*s\" x=\"%.1f\" y=\"%.1f\">", static_cast<int>(style.size()),
                style.data(), at.x, at.y) +
         escaped(text) + "</text>\n";
}

std::string area(const std::vector<Point>& top, const std::vector<Point>& bottom) {
  std::string path = "M";
  for (const Point& point : simplified(top)) path += format("%.1f %.1f ", point.x, point.y);
  std::vector<Point> back = simplified(bottom);
  std::reverse(back.begin(), back.end());
  for (const Point& point : back) path += format("%.1f %.1f ", point.x, point.y);
  path.back() = 'Z';
  return path;
}

std::string oklch(double lightness, double chroma, double hue) {
  const double radians = hue * 3.14159265358979323846 / 180;
  const double a = chroma * std::cos(radians);
  const double b = chroma * std::sin(radians);
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  auto channel = [](double linear) {
    const double x = std::clamp(linear, 0.0, 1.0);
    const double y = x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055;
    return static_cast<int>(std::lround(255 * y));
  };
  return format("#%02x%02x%02x", channel(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
                channel(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
                channel(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
}
