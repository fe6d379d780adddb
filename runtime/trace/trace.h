#ifndef ROAM_RUNTIME_TRACE_TRACE_H_
#define ROAM_RUNTIME_TRACE_TRACE_H_

#include <x86intrin.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/trace/event_store.h"

namespace roam::runtime {

// One balancing step, as it is noted.
struct BalancingStep {
  struct Move {
    std::uint64_t thread;
    int from;
    int to;
    std::uint64_t bytes;
  };
  std::string_view strategy;
  std::uint64_t begin_ticks = 0;  // of the time-stamp counter
  std::uint64_t end_ticks = 0;
  std::vector<double> before;  // load of each rank, in any unit
  std::vector<double> after;   // as planned, or as measured
  std::vector<Move> moves;

  // Loads that were in seconds become those of the program: `second` is what a second stands for.
  void count_in(long double second);
};

// What one rank notes of its run while ROAM_TRACE is set. trace_file.h brings the ranks' notes
// together at the end. Times are readings of the time-stamp counter. Cost: some 10 ns an event.
//
// Turns of threads can come faster than anybody would read them. The first kFullDetail of them are
// noted one by one; after that, turns that together are shorter than 1/65,536 of the run so far are
// noted as one: their number then grows with the logarithm of the time.
//
// Context: the rank's kernel thread, any stack of some 1000 bytes; allocates nothing unless noted.
class Trace {
 public:
  static constexpr std::uint64_t kFullDetail = 32'768;

  // `begin_ticks`: when the run began.
  Trace(int ranks, std::uint64_t begin_ticks);

  // ---- threads ----

  // Before anything else of this thread on this rank.
  void named(std::uint64_t thread, std::string_view name);
  // The thread was on the processor.
  void ran(std::uint64_t thread, std::uint64_t begin_ticks, std::uint64_t end_ticks);
  // `ran_ns`: in all, on whatever rank; 0: nobody counted.
  void ended(std::uint64_t thread, std::uint64_t ran_ns);

  // ---- migrations: `hop` is the thread's how manyth, those included that came to nothing ----

  // `asked`: it goes because others asked it to, and not to where it begins or wants to be.
  void departed(std::uint64_t thread, std::uint64_t hop, int to, std::uint64_t bytes_sent,
                std::uint64_t begin_ticks, bool asked);
  void arrived(std::uint64_t thread, std::uint64_t hop, std::string_view name);
  // It departed, and is still here.
  void refused(std::uint64_t thread, std::uint64_t hop, int by, std::string_view name);

  // ---- the rank ----

  // Whether a sample is due.
  bool wants_sample(std::uint64_t now_ticks) const { return now_ticks >= next_sample_; }
  // Threads here, how many of them are ready, how long the rank has been idle since the run began,
  // and how much processor time its kernel thread has had.
  void sample(std::uint64_t now_ticks, std::size_t alive, std::size_t ready,
              std::uint64_t idle_ticks, std::uint64_t core_ns);
  // One rank notes it for all.
  void balanced(const BalancingStep& step);

  // ---- messages between threads ----
  //
  // `from` and `to` are threads; the sender may not know `to` yet: 0. What ties the two ends
  // together is the same on both sides: `pair` names who sends to whom, `sequence` numbers their
  // messages, from 1; of many they are thinned out by it. 0: not known.

  // `begin_ticks`: before anybody could receive it.
  void sent(std::uint64_t from, std::uint64_t to, int to_rank, std::size_t bytes, int tag,
            std::uint64_t pair, std::uint64_t sequence, std::uint64_t begin_ticks);
  void received(std::uint64_t from, std::uint64_t to, int from_rank, std::size_t bytes, int tag,
                std::uint64_t pair, std::uint64_t sequence);

  // ---- afterwards ----

  // Notes what was held back. Nothing is noted after it.
  void close(std::uint64_t now_ticks, std::uint64_t idle_ticks, std::uint64_t core_ns);
  EventStore& events() { return events_; }
  std::uint64_t begin_ticks() const { return begin_ticks_; }

 private:
  struct Traffic {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
  };

  Event* add(Event::Kind kind, std::uint64_t ticks, std::uint64_t thread, std::uint64_t value,
             std::uint64_t number, int peer, std::string_view text = {});
  void add_message(Event::Kind kind, std::uint64_t begin_ticks, std::uint64_t thread,
                   std::uint64_t other, int peer, int tag, const MessageRow& row);
  void flush_turns();

  const std::uint64_t begin_ticks_;
  EventStore events_;
  // Turns that are held back, to be noted as one.
  struct {
    std::uint64_t begin = 0, end = 0;
    std::uint64_t thread = 0;
    std::uint64_t count = 0;  // 0: none
  } turns_;
  std::uint64_t noted_turns_ = 0;
  std::uint64_t grain_ticks_ = 0;  // turns that are together no longer are noted as one
  std::uint64_t next_sample_ = 0;
  std::uint64_t last_message_ = 0;
  std::vector<Traffic> traffic_;  // to each rank
};

// What ROAM_TRACE notes of this rank's run; null without it.
inline Trace* the_trace = nullptr;

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TRACE_TRACE_H_
