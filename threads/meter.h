#ifndef ROAM_THREADS_METER_H_
#define ROAM_THREADS_METER_H_

#include <cstdint>

#include "threads/tcb.h"

namespace roam::threads {

using detail::Tcb;

// How long threads of one rank run, and when its own stack is to run again. For both the clock is
// read once a window, which is so many switches; who switches counts them.
//
// Turns of some microseconds are measured each. Of shorter ones, one in some hundred is measured,
// picked at random, and stands for those between: so a switch costs nothing more. A turn of
// some 100 us counts as the processor time that it had, should others use the core too.
//
// Times are ticks of the time-stamp counter, `now` what it says. Context: the rank's kernel thread.
class Meter {
 public:
  // `every_turn`: each is measured, however short.
  void start(bool every_turn);
  void begin_run();

  // The window has ended, with the turn of `t`, or of nobody if null; `left` of its switches have
  // not been. The size of the next one, by how long switches have taken lately; 0: the rank's own
  // stack is to run first.
  std::uint64_t next_window(Tcb* t, std::uint64_t now, std::uint64_t left);
  // The rank's own stack has run. The size of the next window.
  std::uint64_t visited(std::uint64_t now, std::uint64_t left);

  // Whether the rank's own stack is to run, in the midst of a window.
  bool visit_is_late(std::uint64_t now) const { return now - last_visit_ >= visit_ticks_; }
  // Whether the present turn is measured: then its end is told.
  bool measures() const { return turn_start_ != 0; }
  // The turn of `t` ends, or of nobody if null.
  void end_turn(Tcb* t, std::uint64_t now);
  // What `t` has run so far is in its run_ticks; from here on its turn is measured, in a window of
  // one switch.
  void measure_from_here(Tcb* t, std::uint64_t now);

  double seconds(std::uint64_t ticks) const {
    return static_cast<double>(ticks) / ticks_per_ns_ * 1e-9;
  }
  // Ranks share cores: what others take of a turn is looked at more closely (0.9 us a visit).
  void set_shared_core(bool shared) { shared_core_ = shared; }
  // Called with each turn that was measured; while it is set, every turn is.
  void (*turn_ended)(const Tcb* t, std::uint64_t begin_ticks, std::uint64_t end_ticks) = nullptr;

 private:
  std::uint64_t begin_window(std::uint64_t now, std::uint64_t left, bool after_visit);
  void set_ticks_per_ns(double ticks);
  void mark_processor_time(std::uint64_t now);

  bool every_turn_ = false;
  std::uint64_t mean_window_ = 1;  // switches of a window of many, on average
  std::uint64_t window_ = 1;       // a window of one is a turn that is measured
  std::uint64_t window_start_ = 0;
  std::uint64_t last_visit_ = 0;
  std::uint32_t long_windows_ = 0;  // of the largest mean
  std::uint64_t turn_start_ = 0;    // of the measured turn; 0: this one is not
  std::uint64_t unmeasured_ = 0;    // turns since the last measured one
  std::uint64_t usual_ticks_ = 0;   // of a turn in the last window of many
  std::uint64_t random_ = 0x9e3779b97f4a7c15;
  // Processor time of this kernel thread, read not long before the turn began.
  std::int64_t cpu_mark_ns_ = 0;
  bool shared_core_ = false;
  std::uint64_t cpu_mark_ticks_ = 0;
  std::uint64_t start_ticks_ = 0;
  std::uint64_t measured_ticks_ = 0;
  std::int64_t start_ns_ = 0;
  double ticks_per_ns_ = 2.5;  // measured as the rank runs
  std::uint64_t visit_ticks_ = 50'000;
  std::uint64_t short_ticks_ = 48;  // turns of less take the largest mean
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_METER_H_
