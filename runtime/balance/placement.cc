#include "runtime/balance/placement.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

namespace roam::balance {
namespace {

bool may_go(const ThreadLoad& thread) { return !thread.fixed && thread.load_s > 0; }

}  // namespace

Placement::Placement(const LoadTable& table, const Plan& start)
    : table_(table),
      plan_(start),
      load_s_(table.ranks.size()),
      begin_(table.ranks.size() + 1),
      threads_(table.ranks.size()),
      sorted_(table.ranks.size()),
      away_(table.ranks.size()),
      limited_(std::any_of(table.ranks.begin(), table.ranks.end(),
                           [](const RankInfo& rank) { return rank.memory_bytes != 0; })) {
  for (std::uint32_t i = 0; i < table.threads.size(); ++i) {
    const ThreadLoad& thread = table.threads[i];
    load_s_[index(rank_of(i))] += thread.load_s;
    if (may_go(thread)) ++begin_[index(rank_of(i)) + 1];
    if (may_go(thread) && rank_of(i) != thread.rank) away_[index(thread.rank)].push_back(i);
  }
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  first_.resize(begin_.back());
  std::vector<std::size_t> end(begin_);
  for (std::uint32_t i = 0; i < table.threads.size(); ++i)
    if (may_go(table.threads[i])) first_[end[index(rank_of(i))]++] = i;
  std::vector<std::pair<double, std::int32_t>> times;
  times.reserve(table.ranks.size());
  for (std::int32_t r = 0; index(r) < table.ranks.size(); ++r) times.emplace_back(time_s(r), r);
  std::sort(times.begin(), times.end());
  by_time_ = {times.begin(), times.end()};
  if (!limited_) return;
  for (const RankInfo& rank : table.ranks) bytes_.push_back(rank.used_bytes);
  for (std::uint32_t i = 0; i < table.threads.size(); ++i) take_bytes(i, rank_of(i));
  for (std::size_t r = 0; r < bytes_.size(); ++r) {
    const std::uint64_t limit = table.ranks[r].memory_bytes;
    most_bytes_.push_back(limit != 0 ? std::max(limit, bytes_[r])
                                     : std::numeric_limits<std::uint64_t>::max());
  }
}

bool Placement::before(const Parcel& a, const Parcel& b) const {
  if (a.load_s != b.load_s) return a.load_s < b.load_s;
  const std::uint64_t x = table_.threads[a.id].bytes, y = table_.threads[b.id].bytes;
  return x != y ? x < y : a.id < b.id;
}

std::span<const Placement::Parcel> Placement::threads_of(std::int32_t rank) {
  std::vector<Parcel>& threads = threads_[index(rank)];
  if (!sorted_[index(rank)]) {
    for (std::size_t k = begin_[index(rank)]; k < begin_[index(rank) + 1]; ++k)
      threads.push_back({table_.threads[first_[k]].load_s, first_[k]});
    std::sort(threads.begin(), threads.end(),
              [&](const Parcel& a, const Parcel& b) { return before(a, b); });
    sorted_[index(rank)] = true;
  }
  return threads;
}

std::vector<Placement::Parcel> Placement::parcels_of(std::int32_t rank) {
  const std::span<const Parcel> threads = threads_of(rank);
  std::vector<Parcel> parcels(threads.begin(), threads.end());
  if (!limited_ || table_.block_bytes.empty()) return parcels;
  std::map<std::int32_t, std::pair<double, int>> blocks;  // load and threads
  for (const Parcel& p : threads) {
    if (table_.threads[p.id].block < 0) continue;
    auto& [load_s, count] = blocks[table_.threads[p.id].block];
    load_s += p.load_s;
    ++count;
  }
  for (const auto& [block, sum] : blocks) {
    if (sum.second > 1)
      parcels.push_back({sum.first, static_cast<std::uint32_t>(table_.threads.size()) +
                                        static_cast<std::uint32_t>(block)});
  }
  std::stable_sort(parcels.begin(), parcels.end(),
                   [](const Parcel& a, const Parcel& b) { return a.load_s < b.load_s; });
  return parcels;
}

void Placement::take_bytes(std::uint32_t i, std::int32_t rank) {
  const ThreadLoad& thread = table_.threads[i];
  bytes_[index(rank)] += thread.bytes;
  if (thread.block >= 0 && sharers_[sharing(rank, thread.block)]++ == 0)
    bytes_[index(rank)] += block_bytes(thread.block);
}

void Placement::drop_bytes(std::uint32_t i, std::int32_t rank) {
  const ThreadLoad& thread = table_.threads[i];
  bytes_[index(rank)] -= thread.bytes;
  if (thread.block >= 0 && --sharers_[sharing(rank, thread.block)] == 0)
    bytes_[index(rank)] -= block_bytes(thread.block);
}

bool Placement::has_room(std::span<const Step> steps) {
  if (!limited_) return true;
  for (const Step& step : steps) {
    drop_bytes(step.thread, rank_of(step.thread));
    take_bytes(step.thread, step.to);
  }
  const bool room = std::all_of(steps.begin(), steps.end(), [&](const Step& step) {
    const std::size_t from = index(rank_of(step.thread)), to = index(step.to);
    return bytes_[from] <= most_bytes_[from] && bytes_[to] <= most_bytes_[to];
  });
  for (const Step& step : steps) {
    drop_bytes(step.thread, step.to);
    take_bytes(step.thread, rank_of(step.thread));
  }
  return room;
}

void Placement::add_load(std::int32_t rank, double load_s) {
  by_time_.erase({time_s(rank), rank});
  load_s_[index(rank)] += load_s;
  by_time_.emplace(time_s(rank), rank);
}

std::vector<Placement::Step> Placement::carry_out(std::span<const Step> steps) {
  std::vector<Step> back;
  const auto less = [&](const Parcel& a, const Parcel& b) { return before(a, b); };
  for (const auto& [i, to] : steps) {
    const std::int32_t from = rank_of(i);
    if (from == to) continue;
    back.push_back({i, from});
    std::vector<std::uint32_t>& away = away_[index(table_.threads[i].rank)];
    if (from == table_.threads[i].rank) away.push_back(i);
    if (to == table_.threads[i].rank) std::erase(away, i);
    const Parcel parcel{table_.threads[i].load_s, i};
    threads_of(from);
    threads_of(to);
    std::vector<Parcel>&theirs = threads_[index(from)], &others = threads_[index(to)];
    theirs.erase(std::lower_bound(theirs.begin(), theirs.end(), parcel, less));
    others.insert(std::lower_bound(others.begin(), others.end(), parcel, less), parcel);
    add_load(from, -parcel.load_s);
    add_load(to, parcel.load_s);
    if (limited_) {
      drop_bytes(i, from);
      take_bytes(i, to);
    }
    plan_.rank_of[i] = to;
  }
  return back;
}

}  // namespace roam::balance
