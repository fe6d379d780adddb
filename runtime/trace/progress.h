#ifndef ROAM_RUNTIME_TRACE_PROGRESS_H_
#define ROAM_RUNTIME_TRACE_PROGRESS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace roam::runtime {

// What a rank says of itself. Counts are since the run began.
struct RankCounts {
  std::uint64_t alive = 0;  // threads on it now
  std::uint64_t ready = 0;  // of them
  std::uint64_t made = 0;
  std::uint64_t ended = 0;
  std::uint64_t moved = 0;  // threads that left it
  std::uint64_t moved_bytes = 0;
  std::uint64_t busy_permille = 0;  // since it last said so
};

// What rank 0 knows of the job while it runs, for ROAM_PROGRESS: the last that each rank said.
class Progress {
 public:
  Progress(int ranks, std::int64_t begin_ns)
      : begin_ns_(begin_ns), heard_(static_cast<std::size_t>(ranks), Heard{begin_ns, {}}) {}

  void hear(int rank, std::int64_t now_ns, const RankCounts& counts) {
    heard_[static_cast<std::size_t>(rank)] = {now_ns, counts};
  }
  // One line. Ranks that have said nothing for `late_ns` are named: they run a thread that does not
  // let others run, or are stopped.
  std::string line(std::int64_t now_ns, std::int64_t late_ns) const;

 private:
  struct Heard {
    std::int64_t ns;
    RankCounts counts;
  };
  std::int64_t begin_ns_;
  std::vector<Heard> heard_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TRACE_PROGRESS_H_
