#include "demos/common/meter.h"

#include <algorithm>

double Meter::now(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

Meter::Meter(roam::Team team) : team_(team) {
  team.barrier();
  begin_ = now(CLOCK_MONOTONIC);
}

void Meter::end_interval(int step, bool balance) {
  Note note{.last_step = step,
            .rank = roam::rank(),
            .busy_seconds = busy_seconds_,
            .balancing_seconds = 0,
            .moved = false};
  busy_seconds_ = 0;
  if (balance) {
    // Between barriers: neither the wait for those who still compute nor the computing of those who
    // are through with it counts as balancing.
    team_.barrier();
    const double before = now(CLOCK_MONOTONIC);
    team_.balance();
    note.balancing_seconds = now(CLOCK_MONOTONIC) - before;
    team_.barrier();
    note.moved = roam::rank() != note.rank;
  }
  notes_.push_back(note);
}

Record Meter::end(int step, bool balanced) {
  end_interval(step, false);
  team_.barrier();
  Record run{.balanced = balanced, .seconds = now(CLOCK_MONOTONIC) - begin_, .intervals = {}};

  // What all members were busy with, by interval and rank; how long they were in balance().
  // A job that went on from a checkpoint may have had more ranks before.
  int most = roam::ranks();
  for (const Note& note : notes_) most = std::max(most, note.rank + 1);
  most = team_.allreduce(most, [](int a, int b) { return std::max(a, b); });
  const auto ranks = static_cast<std::size_t>(most);
  std::vector<double> busy(notes_.size() * ranks);
  std::vector<int> moved;
  std::vector<double> balancing;
  for (std::size_t i = 0; i < notes_.size(); ++i) {
    busy[i * ranks + static_cast<std::size_t>(notes_[i].rank)] = notes_[i].busy_seconds;
    moved.push_back(notes_[i].moved);
    balancing.push_back(notes_[i].balancing_seconds);
  }
  busy = team_.reduce(0, std::move(busy));
  moved = team_.reduce(0, std::move(moved));
  balancing =
      team_.reduce(0, std::move(balancing), [](double a, double b) { return std::max(a, b); });

  for (std::size_t i = 0; i < notes_.size(); ++i) {
    const double* const at = busy.data() + i * ranks;
    run.intervals.push_back({.last_step = notes_[i].last_step,
                             .busy_seconds = std::vector<double>(at, at + ranks),
                             .balancing_seconds = balancing[i],
                             .moved = moved[i]});
  }
  return run;
}
