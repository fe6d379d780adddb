#ifndef DEMOS_COMMON_METER_H_
#define DEMOS_COMMON_METER_H_

#include <roam/roam.h>
#include <time.h>

#include <vector>

#include "demos/common/record.h"

// One member's notes of what it computes, where, and when it moves. Lives on the member's stack and
// travels with it. Members put their notes together only at the end, so measuring costs a run
// nothing but two system calls a step and two barriers a balance().
//
// Clocks are those of the machine: the ranks must be on one.
class Meter {
 public:
  // Of a run that starts now. All members together.
  explicit Meter(roam::Team team);

  // Runs work(), which does not suspend, and counts its CPU time: that of a rank which shares its
  // core with others is not longer than that of one which does not.
  template <class Work>
  void busy(Work work) {
    const double before = now(CLOCK_THREAD_CPUTIME_ID);
    work();
    busy_seconds_ += now(CLOCK_THREAD_CPUTIME_ID) - before;
  }
  // So far in this interval.
  double busy_seconds() const { return busy_seconds_; }
  // Ends an interval with `step`; then, if asked to, calls team.balance() and measures it. All
  // members together.
  void end_interval(int step, bool balance);
  // Ends the run with `step`. All members together; the whole is at member 0.
  Record end(int step, bool balanced);

 private:
  struct Note {
    int last_step;
    int rank;
    double busy_seconds;
    double balancing_seconds;
    bool moved;
  };
  static double now(clockid_t clock);

  roam::Team team_;
  double begin_;
  double busy_seconds_ = 0;
  std::vector<Note> notes_;
};

#endif  // DEMOS_COMMON_METER_H_
