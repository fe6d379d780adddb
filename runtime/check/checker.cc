#include "runtime/check/checker.h"

#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "base/text.h"
#include "runtime/check/pointer_check.h"

namespace roam::runtime {

void start_check(Mpi& mpi, Options* options) {
  mpi.broadcast(&options->check_pointers, sizeof options->check_pointers);
  if (!options->check_pointers) return;
  PointerCheck::begin_noting();
  ProcessMap::runtime_started();
  delete the_check;  // of a run that did not begin
  the_check = new PointerCheck;
}

void finish_check(Mpi& mpi) {
  if (the_check == nullptr) return;
  const PointerCheck::Counts& mine = the_check->counts();
  const std::uint64_t departures = mpi.sum(mine.departures);
  const std::uint64_t ends = mpi.sum(mine.ends);
  const std::uint64_t out = mpi.sum(mine.out);
  const std::uint64_t in = mpi.sum(mine.in);
  if (mpi.rank() == 0) {
    const double looks = static_cast<double>(std::max<std::uint64_t>(departures, 1));
    report(
        text("ROAM_CHECK: %llu departures and %llu ends looked at; pointers out of threads: %llu "
             "(%.2f in 1000 departures), into threads: %llu",
             static_cast<unsigned long long>(departures), static_cast<unsigned long long>(ends),
             static_cast<unsigned long long>(out), 1000 * static_cast<double>(out) / looks,
             static_cast<unsigned long long>(in))
            .c_str());
  }
  delete the_check;
  the_check = nullptr;
  PointerCheck::set_running(false);
}

}  // namespace roam::runtime
