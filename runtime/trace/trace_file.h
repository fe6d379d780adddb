#ifndef ROAM_RUNTIME_TRACE_TRACE_FILE_H_
#define ROAM_RUNTIME_TRACE_TRACE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/os/file.h"
#include "runtime/net/mpi.h"
#include "runtime/trace/clocks.h"
#include "runtime/trace/progress.h"
#include "runtime/trace/trace.h"
#include "runtime/trace/trace_text.h"

namespace roam::runtime {

// The one file of a job's trace: rank 0 writes it when the run has ended; the others send it their
// events as text, some at a time, so that no rank needs a common file system, or memory for all.
// What is written, docs/tracing.md describes.
class TraceFile {
 public:
  // Collective. Clocks of the ranks are compared.
  // Errors: Error(bad_option)  rank 0 cannot write there; thrown on every rank.
  TraceFile(Mpi& mpi, const std::string& path);

  std::uint64_t begin_ticks() const { return begin_.ticks; }

  // Collective. Failure to write costs the trace, and is reported, but nothing else. `counts`: of
  // this rank, as the run itself kept them. A rank sends some `part_bytes` of text at a time.
  void write(Trace& trace, int node, const RankCounts& counts, std::size_t part_bytes = 1 << 20);

 private:
  // The clock and the time-stamp counter, read together.
  struct Moment {
    std::uint64_t ticks;
    std::int64_t ns;  // by rank 0's clock
    std::int64_t error_ns;
  };
  Moment look_at_the_clock() const;
  // That of the first rank with this one's clock.
  Moment first_with_clock(const Moment& own) const;
  TimeScale scale_to(const Moment& end) const;
  void put(const void* data, std::size_t bytes) { file_.write(data, bytes); }
  void put_head();
  struct Total {
    const char* name;
    std::uint64_t value;
  };
  std::vector<Total> totals_of(const TraceCounts& written, const RankCounts& counts,
                               std::uint64_t dropped) const;
  void put_tail(std::uint64_t error_ns, const std::vector<Total>& totals);

  Mpi& mpi_;
  std::string path_;
  os::WholeFile file_;
  Moment begin_{};
  Moment first_begin_{};  // of the first rank with this one's clock
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TRACE_TRACE_FILE_H_
