// What ROAM_CHECK looks at on a rank.

#include "base/check.h"
#include "base/text.h"
#include "runtime/runtime.h"

namespace roam::runtime {

// Collective. What rank 0 was told holds for all.
void Runtime::start_check() {
  mpi_.broadcast(&options_.check_pointers, sizeof options_.check_pointers);
  if (!options_.check_pointers) return;
  PointerCheck::begin_noting();
  ProcessMap::runtime_started();
  check_ = std::make_unique<PointerCheck>();
  ends_are_watched_ = true;
}

// Collective, after the run. The job's status is its own, whatever was found.
void Runtime::finish_check() {
  if (check_ == nullptr) return;
  const PointerCheck::Counts& mine = check_->counts();
  const std::uint64_t departures = mpi_.sum(mine.departures);
  const std::uint64_t ends = mpi_.sum(mine.ends);
  const std::uint64_t out = mpi_.sum(mine.out);
  const std::uint64_t in = mpi_.sum(mine.in);
  if (rank() == 0) {
    const double looks = static_cast<double>(std::max<std::uint64_t>(departures, 1));
    report(
        text("ROAM_CHECK: %llu departures and %llu ends looked at; pointers out of threads: %llu "
             "(%.2f in 1000 departures), into threads: %llu",
             static_cast<unsigned long long>(departures), static_cast<unsigned long long>(ends),
             static_cast<unsigned long long>(out), 1000 * static_cast<double>(out) / looks,
             static_cast<unsigned long long>(in))
            .c_str());
  }
  check_.reset();
  PointerCheck::set_running(false);
}

}  // namespace roam::runtime
