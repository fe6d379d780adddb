#ifndef ROAM_RUNTIME_NET_THREAD_ID_H_
#define ROAM_RUNTIME_NET_THREAD_ID_H_

#include <cstdint>

namespace roam::runtime {

// A thread's id: the rank that made it, its home, and a number. The home rank can always say where
// the thread is.
//   63      40 39          0
//   | rank + 1 | number, from 1 |
constexpr int kNumberBits = 40;
constexpr std::uint64_t make_id(int home, std::uint64_t number) {
  return (static_cast<std::uint64_t>(home) + 1) << kNumberBits | number;
}
constexpr int home_of(std::uint64_t id) { return static_cast<int>(id >> kNumberBits) - 1; }
constexpr std::uint64_t number_of(std::uint64_t id) {
  return id & ((std::uint64_t{1} << kNumberBits) - 1);
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_THREAD_ID_H_
