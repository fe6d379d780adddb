#include "bench/synthetic_loads.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace bench {
namespace {

// A number in [0, 1) that follows from three. Source: Vigna, splitmix64.
double random01(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = seed;
  for (const std::uint64_t more : {a, b}) {
    z = (z ^ more) + 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
  }
  return static_cast<double>(z >> 11) * 0x1p-53;
}

// What a random number is drawn for.
enum Draw : std::uint64_t { kLoad = 1, kBytes = 2, kNoise = 3 };

double wrapped(double value) { return value - std::floor(value); }

}  // namespace

const std::vector<std::string_view>& synthetic_names() {
  static const std::vector<std::string_view> names = {"uniform",   "exponential", "half",
                                                      "geometric", "hot-spot",    "one"};
  return names;
}

SyntheticLoads::SyntheticLoads(const SyntheticOptions& options) : options_(options) {
  const double side = std::sqrt(static_cast<double>(options.threads));
  width_ = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(side)));
}

double SyntheticLoads::shape(std::size_t thread, std::size_t step) const {
  const double x = static_cast<double>(thread / width_) / static_cast<double>(width_);  // in [0, 1)
  const double y = static_cast<double>(thread % width_) / static_cast<double>(width_);
  const double draw = random01(options_.seed, thread, kLoad);
  const std::string& loads = options_.loads;
  if (loads == "uniform") return 0.5 + draw;
  if (loads == "exponential") return -std::log1p(-draw);
  if (loads == "half") return thread < options_.threads / 2 ? 1.6 : 0.4;
  if (loads == "geometric") {
    // The mean of 0.99^x over 1,000 columns is about 1/10.
    return 10 * std::pow(0.99, 1000 * wrapped(x - 0.003 * static_cast<double>(step)));
  }
  if (loads == "hot-spot") {
    constexpr double kRadius = 0.1, kSpeed = 0.01;
    const double centre = wrapped(0.25 + kSpeed * static_cast<double>(step));
    const double dx = x - centre, dy = y - centre;
    return 0.6 + 5.4 * std::exp(-(dx * dx + dy * dy) / (2 * kRadius * kRadius));
  }
  return thread == 0 ? static_cast<double>(options_.threads) : 1;  // one
}

double SyntheticLoads::load_s(std::size_t thread, std::size_t step) const {
  const double jump =
      options_.noise == 0
          ? 0
          : options_.noise * (2 * random01(options_.seed + step, thread, kNoise) - 1);
  return options_.mean_s * shape(thread, step) * (1 + jump);
}

roam::balance::LoadTable SyntheticLoads::table() const {
  roam::balance::LoadTable table;
  std::vector<std::uint64_t> taken(options_.ranks);
  for (std::size_t i = 0; i < options_.threads; ++i) {
    const std::size_t rank = i * options_.ranks / options_.threads;
    const double factor = 0.5 + random01(options_.seed, i, kBytes);
    const auto bytes =
        static_cast<std::uint64_t>(factor * static_cast<double>(options_.thread_bytes));
    table.threads.push_back({0, bytes, static_cast<std::int32_t>(rank)});
    taken[rank] += bytes;
  }
  const double mean_bytes = static_cast<double>(options_.thread_bytes) *
                            static_cast<double>(options_.threads) /
                            static_cast<double>(options_.ranks);
  const std::size_t nodes = (options_.ranks + options_.node_ranks - 1) / options_.node_ranks;
  for (std::size_t r = 0; r < options_.ranks; ++r) {
    const std::size_t node = r / options_.node_ranks;
    const bool slow = static_cast<double>(node) < options_.slow * static_cast<double>(nodes);
    table.ranks.push_back({.speed = slow ? 0.5 : 1,
                           .node = static_cast<std::int32_t>(node),
                           .memory_bytes = static_cast<std::uint64_t>(options_.memory * mean_bytes),
                           .used_bytes = 0});
  }
  if (options_.edge_bytes == 0 || options_.threads == 0) return table;
  table.first_edge.push_back(0);
  for (std::size_t i = 0; i < options_.threads; ++i) {
    const std::size_t row = i % width_;
    const auto send = [&](std::size_t to) {
      if (to < options_.threads) {
        table.edges.push_back({static_cast<std::uint32_t>(to), options_.edge_bytes, 1});
      }
    };
    if (i >= width_) send(i - width_);
    if (row > 0) send(i - 1);
    if (row + 1 < width_) send(i + 1);
    send(i + width_);
    table.first_edge.push_back(table.edges.size());
  }
  return table;
}

}  // namespace bench
