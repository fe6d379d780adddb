#ifndef ROAM_RUNTIME_JOB_CLOCK_SHIFT_H_
#define ROAM_RUNTIME_JOB_CLOCK_SHIFT_H_

#include <cstdint>
#include <string>

namespace roam::runtime {

// How ranks come to one clock for the job (base/job_clock.h): rank 0 says what its own shows, and
// what is added to that.
struct ClockSaid {
  std::string name;         // os::clock_name()
  std::int64_t now_ns = 0;  // now_ns()
  std::int64_t shift_ns = 0;
};
// As text, and back; of what is none, a clock without a name.
std::string pack_clock(const ClockSaid& said);
ClockSaid unpack_clock(const std::string& packed);

// What rank 0 adds so that the clock goes on from `clock_ns`, of a checkpoint; 0: there is none.
std::int64_t first_shift(std::uint64_t clock_ns, std::int64_t now_ns);
// What a rank adds that has heard rank 0 just now: the same where it reads the same clock.
std::int64_t shift_after(const ClockSaid& said, const std::string& name, std::int64_t now_ns);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_JOB_CLOCK_SHIFT_H_
