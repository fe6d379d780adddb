#include "runtime/trace/progress.h"

#include <algorithm>

#include "base/text.h"

namespace roam::runtime {
namespace {

constexpr int kMostNamed = 4;

long long seconds(std::int64_t ns) { return (ns + 500'000'000) / 1'000'000'000; }
unsigned long long count(std::uint64_t n) { return n; }

}  // namespace

std::string Progress::line(std::int64_t now_ns, std::int64_t late_ns) const {
  RankCounts sum;
  std::uint64_t fewest = UINT64_MAX, most = 0;
  int late = 0;
  std::string silent;
  for (std::size_t rank = 0; rank < heard_.size(); ++rank) {
    const auto& [ns, counts] = heard_[rank];
    sum.made += counts.made;
    sum.ended += counts.ended;
    sum.moved += counts.moved;
    sum.moved_bytes += counts.moved_bytes;
    sum.busy_permille += counts.busy_permille;
    fewest = std::min(fewest, counts.alive);
    most = std::max(most, counts.alive);
    if (now_ns - ns < late_ns) continue;
    if (++late <= kMostNamed)
      silent += text("; rank %zu has said nothing for %lld s", rank, seconds(now_ns - ns));
  }
  if (late > kMostNamed) silent += text("; nor have %d more", late - kMostNamed);
  // Not the sum of what is alive on ranks: threads move between two ranks' words.
  const std::uint64_t alive = sum.made - std::min(sum.made, sum.ended);
  const double busy = static_cast<double>(sum.busy_permille) / static_cast<double>(heard_.size());
  return text(
      "%lld s: %llu threads alive (%llu to %llu a rank), %llu made, %llu ended, %llu moves "
      "(%s), ranks %.0f %% busy%s",
      seconds(now_ns - begin_ns_), count(alive), count(fewest), count(most), count(sum.made),
      count(sum.ended), count(sum.moved), bytes_text(sum.moved_bytes).c_str(), busy / 10,
      silent.c_str());
}

}  // namespace roam::runtime
