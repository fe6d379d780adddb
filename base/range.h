#ifndef ROAM_BASE_RANGE_H_
#define ROAM_BASE_RANGE_H_

#include <cstddef>
#include <cstdint>

namespace roam {

using Address = std::uintptr_t;

inline constexpr std::size_t kPageBytes = 4096;  // x86-64
inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}
constexpr std::size_t round_down(std::size_t value, std::size_t multiple) {
  return value / multiple * multiple;
}

// [begin, begin + bytes) of addresses.
struct Range {
  Address begin = 0;
  std::size_t bytes = 0;

  Address end() const { return begin + bytes; }
  bool contains(Address a) const { return a - begin < bytes; }
  bool contains(const void* p) const { return contains(reinterpret_cast<Address>(p)); }
  void* pointer() const { return reinterpret_cast<void*>(begin); }
  friend bool operator==(const Range&, const Range&) = default;
};

}  // namespace roam

#endif  // ROAM_BASE_RANGE_H_
