#include "demos/pic/kernel.h"

#include <bit>
#include <cmath>

namespace {

constexpr double kTolerance = 1e-6;  // cells

// Branch-free, so that the loop over particles becomes vector instructions: `wrapped` of a
// coordinate that is less than a grid off.
inline double wrapped(double at, double cells) {
  at = at < 0 ? at + cells : at;
  return at >= cells ? at - cells : at;
}

}  // namespace

Particle at_centre(int x, int y, int k, int m) {
  const double rx = 0.5;
  const double ry = 0.5;
  const double r1 = std::hypot(rx, ry);
  const double r2 = std::hypot(1 - rx, ry);
  const double base = 1 / (rx / (r1 * r1 * r1) + (1 - rx) / (r2 * r2 * r2));
  const double charge = (2 * k + 1) * base;
  return {.x = x + rx,
          .y = y + ry,
          .vx = 0,
          .vy = static_cast<double>(m),
          .charge = x % 2 == 0 ? charge : -charge,
          .birth_x = static_cast<std::uint32_t>(x),
          .birth_y = static_cast<std::uint32_t>(y)};
}

void push(std::span<Particle> particles, int cells) {
  const double side = cells;
  Particle* const all = particles.data();
  const std::size_t count = particles.size();
  for (std::size_t i = 0; i < count; ++i) {
    Particle& p = all[i];
    const int column = static_cast<int>(p.x);
    // The corners of the cell: left ones of one charge, right ones of the other.
    const double left_charge = 1 - 2 * (column & 1);
    const double left = p.x - column;  // distances, in x and y
    const double right = 1 - left;
    const double below = p.y - static_cast<int>(p.y);
    const double above = 1 - below;

    // q1 q2 / r^2 along the line: a corner at distance d gives q1 q2 d / r^3.
    const double lb = left * left + below * below;
    const double la = left * left + above * above;
    const double rb = right * right + below * below;
    const double ra = right * right + above * above;
    const double from_lb = 1 / (lb * std::sqrt(lb));
    const double from_la = 1 / (la * std::sqrt(la));
    const double from_rb = 1 / (rb * std::sqrt(rb));
    const double from_ra = 1 / (ra * std::sqrt(ra));
    const double strength = p.charge * left_charge;
    const double ax = strength * (left * (from_lb + from_la) + right * (from_rb + from_ra));
    const double ay = strength * (below * (from_lb - from_rb) - above * (from_la - from_ra));

    p.x = wrapped(p.x + p.vx + ax / 2, side);
    p.y = wrapped(p.y + p.vy + ay / 2, side);
    p.vx += ax;
    p.vy += ay;
  }
}

bool is_in_place(const Particle& particle, long moves, int k, int m, int cells) {
  const long x = (particle.birth_x + moves * (2L * k + 1)) % cells;
  const long y = (particle.birth_y + moves * m) % cells;
  return std::abs(particle.x - (static_cast<double>(x) + 0.5)) <= kTolerance &&
         std::abs(particle.y - (static_cast<double>(y) + 0.5)) <= kTolerance;
}

std::uint64_t checksum(const Particle& particle) {
  std::uint64_t sum = 0;
  // The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
  const auto add = [&sum](std::uint64_t value) {
    sum += value + 0x9e3779b97f4a7c15;
    sum = (sum ^ sum >> 30) * 0xbf58476d1ce4e5b9;
    sum = (sum ^ sum >> 27) * 0x94d049bb133111eb;
    sum ^= sum >> 31;
  };
  for (const double value : {particle.x, particle.y, particle.vx, particle.vy, particle.charge})
    add(std::bit_cast<std::uint64_t>(value));
  add(std::uint64_t{particle.birth_x} << 32 | particle.birth_y);
  return sum;
}
