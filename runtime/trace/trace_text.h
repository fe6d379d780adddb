#ifndef ROAM_RUNTIME_TRACE_TRACE_TEXT_H_
#define ROAM_RUNTIME_TRACE_TRACE_TEXT_H_

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/trace/event.h"

namespace roam::runtime {

// From ticks of a rank's time-stamp counter to the trace's time: nanoseconds, the same on every
// rank.
struct TimeScale {
  std::uint64_t ticks = 0;  // at `ns`
  double ns = 0;
  double ns_per_tick = 0.4;

  // Never before the trace begins: clocks of different machines agree only so well.
  std::uint64_t at(std::uint64_t t) const {
    const double value =
        ns + static_cast<double>(static_cast<std::int64_t>(t - ticks)) * ns_per_tick;
    return value > 0 ? static_cast<std::uint64_t>(value) : 0;
  }
};

// How many of the things that a viewer counts were written.
struct TraceCounts {
  std::uint64_t slices = 0;
  std::uint64_t tails = 0;  // of arrows
  std::uint64_t heads = 0;
  std::uint64_t counters = 0;  // values of them
};

// Writes the events of one rank in the Chrome JSON trace format, which docs/tracing.md describes:
// one a line, each line after a comma, so that the texts of ranks can stand in any order behind a
// first event. Source: "Trace Event Format", the Chromium project.
//
// Slices of a lane neither overlap nor touch, since viewers drop one of two that overlap, and read
// times as floating-point numbers that may come out a nanosecond less: one begins a nanosecond or
// more after the end of the one before, if need be later than it did. An arrow is tied to the slice
// of its lane that began last.
class TraceText {
 public:
  // `ranks`: of the job.
  TraceText(int rank, int ranks, int node, const TimeScale& scale);

  // In the order in which they were noted; the rows of a text lie behind the event.
  void add(const Event& event);
  // Behind the last event.
  void end();

  // What was written since take().
  std::size_t bytes() const { return buffer_.GetSize(); }
  const char* data() const { return buffer_.GetString(); }
  void take() { buffer_.Clear(); }
  // In all.
  const TraceCounts& counts() const { return counts_; }

 private:
  using Json = rapidjson::Writer<rapidjson::StringBuffer>;
  // Lanes of a rank, which the viewers call threads. Balancing steps of several teams may overlap.
  enum Lane { kRuns, kDepartures, kArrivals, kSends, kReceipts, kSteps, kLanes = kSteps + 4 };
  struct Rank {
    int rank;
    double before, after;
  };
  struct Ended {
    std::uint64_t ran_ns;
    std::uint64_t thread;
    std::string name;
  };

  void begin(const char* phase, int rank, std::string_view name);
  void finish();
  void text(const char* key, std::string_view value);
  void number(const char* key, std::uint64_t value);
  void real(const char* key, double value);
  void time(const char* key, std::uint64_t ns);
  int lane_number(int lane) const { return lane_base_ + 10 * rank_ + lane + 1; }
  void name_lane(int lane);
  std::uint64_t slice(int lane, const char* category, std::string_view name, std::uint64_t begin_ns,
                      std::uint64_t end_ns);
  void flow(const char* phase, Lane lane, const char* category, std::uint64_t id, std::uint64_t ns);
  void counter(int rank, const char* name, std::uint64_t ns);
  void process(const char* what, const char* key, std::string_view name);

  void learn(const Event& event);
  std::string_view name_of(std::uint64_t thread);
  void turns(const Event& event);
  void ended(const Event& event);
  void departed(const Event& event);
  void came(const Event& event);
  void sample(const Event& event);
  void message(const Event& event);
  void step();

  const int rank_;
  const int lane_base_;
  const TimeScale scale_;
  TraceCounts counts_;
  rapidjson::StringBuffer buffer_;
  Json json_;
  bool lane_named_[kLanes] = {};
  std::uint64_t free_ns_[kLanes] = {};                    // when the next slice may begin
  std::unordered_map<std::uint64_t, std::string> names_;  // of threads that are here
  std::string unnamed_;
  Event last_sample_{};
  std::uint64_t last_core_ns_ = 0;  // in it
  bool sampled_ = false;
  std::vector<Ended> longest_;  // that ended here, a heap, the shortest first
  std::vector<Event> traffic_;
  // The balancing step that is being read.
  Event step_{};
  std::string strategy_;
  std::vector<Rank> step_ranks_;
  std::vector<Event> step_moves_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TRACE_TRACE_TEXT_H_
