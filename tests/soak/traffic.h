#ifndef ROAM_TESTS_SOAK_TRAFFIC_H_
#define ROAM_TESTS_SOAK_TRAFFIC_H_

#include <cstdint>

namespace roam_test {

// Each is a short piece of what programs do over and over; verified, and nothing is left of it at
// its end. Context: a thread on any rank.
struct Traffic {
  const char* name;
  void (*run)(std::uint64_t seed);
};
extern const Traffic kTraffic[];
extern const int kKindsOfTraffic;

}  // namespace roam_test

#endif  // ROAM_TESTS_SOAK_TRAFFIC_H_
