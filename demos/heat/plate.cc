#include "demos/heat/plate.h"

#include <cmath>
#include <numbers>

namespace {

constexpr double kDiffusion = 0.2;  // cells^2 a step; stable below 0.25
constexpr double kLaserPower = 1;   // temperature a step, at the middle of the beam
constexpr double kBeam = 0.07;      // width of the beam, of the plate's
constexpr double kOrbit = 0.28;     // radius, the same
constexpr double kReach = 6;        // the beam ends at so many widths

// dw/dt = kFuel exp(-kActivation / w) - kGlow w^4: Arrhenius' law and Stefan's and Boltzmann's.
constexpr double kFuel = 2;
constexpr double kActivation = 8;
constexpr double kGlow = 0.02;
constexpr double kSubstepsPerDegree = 4;
constexpr double kPrecision = 1e-13;
constexpr int kMostIterations = 50;

// Backward Euler: the w that solves w = w0 + h f(w).
double implicit_step(double w0, double h) {
  double w = w0;
  for (int i = 0; i < kMostIterations; ++i) {
    const double flame = kFuel * std::exp(-kActivation / w);
    const double cube = kGlow * w * w * w;
    const double residual = w - w0 - h * (flame - cube * w);
    const double slope = 1 - h * (flame * kActivation / (w * w) - 4 * cube);
    const double change = residual / slope;
    w -= change;
    if (std::abs(change) < kPrecision * w) break;
  }
  return w;
}

}  // namespace

Field::Field(Tile tile)
    : tile_(tile),
      cells_(static_cast<std::size_t>(tile.width() + 2) *
             static_cast<std::size_t>(tile.height() + 2)) {}

std::vector<double> Field::column(int x) const {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(tile_.height()));
  for (int y = 0; y < tile_.height(); ++y) values.push_back(*at(x, y));
  return values;
}

void Field::set_column(int x, std::span<const double> values) {
  for (int y = 0; y < tile_.height(); ++y) *at(x, y) = values[static_cast<std::size_t>(y)];
}

Laser laser_at(int step, int steps, int cells) {
  const double angle = std::numbers::pi * (1 - static_cast<double>(step) / steps);
  return {.x = cells * (0.5 + kOrbit * std::cos(angle)),
          .y = cells * (0.5 + kOrbit * std::sin(angle)),
          .width = cells * kBeam};
}

double burn(double u) {
  const int substeps = static_cast<int>(kSubstepsPerDegree * u);
  for (int i = 0; i < substeps; ++i) u = implicit_step(u, 1.0 / substeps);
  return u;
}

void advance(const Field& now, Field& next, const Laser& laser) {
  const Tile& tile = now.tile();
  for (int y = 0; y < tile.height(); ++y) {
    const double* const below = now.at(0, y - 1);
    const double* const here = now.at(0, y);
    const double* const above = now.at(0, y + 1);
    double* const out = next.at(0, y);
    for (int x = 0; x < tile.width(); ++x) {
      out[x] =
          here[x] + kDiffusion * (here[x - 1] + here[x + 1] + below[x] + above[x] - 4 * here[x]);
    }
    const double dy = tile.y_begin + y - laser.y;
    for (int x = 0; x < tile.width(); ++x) {
      const double dx = tile.x_begin + x - laser.x;
      const double distance = (dx * dx + dy * dy) / (laser.width * laser.width);
      if (distance < kReach * kReach) out[x] += kLaserPower * std::exp(-distance / 2);
      if (out[x] > 1) out[x] = burn(out[x]);
    }
  }
}
