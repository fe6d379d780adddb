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

// Writes the events of one rank in the Chrome JSON trace format, which docs/tracing.md describes:
// one a line, each line after a comma, so that the texts of ranks can stand in any order behind a
// first event. Source: "Trace Event Format", the Chromium project.
class TraceText {
 public:
  TraceText(int rank, int node, const TimeScale& scale);

  // In the order in which they were noted; the rows of a text lie behind the event.
  void add(const Event& event);
  // Behind the last event.
  void end();

  // What was written since take().
  std::size_t bytes() const { return buffer_.GetSize(); }
  const char* data() const { return buffer_.GetString(); }
  void take() { buffer_.Clear(); }

 private:
  using Json = rapidjson::Writer<rapidjson::StringBuffer>;
  // Lanes of a rank, which the viewers call threads.
  enum Lane { kRuns = 0, kMoves, kMessages, kSteps, kLanes };
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
  void slice(Lane lane, const char* category, std::string_view name, std::uint64_t begin_ns,
             std::uint64_t ns);
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
  const TimeScale scale_;
  rapidjson::StringBuffer buffer_;
  Json json_;
  bool lane_named_[kLanes] = {};
  std::unordered_map<std::uint64_t, std::string> names_;  // of threads that are here
  std::string unnamed_;
  Event last_sample_{};
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
