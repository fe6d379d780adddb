#ifndef ROAM_ISOMALLOC_LOCALE_IDS_H_
#define ROAM_ISOMALLOC_LOCALE_IDS_H_

#include <cstddef>

namespace roam::iso {

// Numbers of the program's kinds of facets; libstdc++ has some 50. A locale with one has two arrays
// that are so long (10 KiB). Of programs with five kinds one in fifty gets a number twice.
inline constexpr std::size_t kFirstNumber = 128;
inline constexpr int kNumberBits = 9;
inline constexpr std::size_t kNumbers = std::size_t{1} << kNumberBits;

// Whether the number may be another kind's on another rank.
inline bool is_counted_number(std::size_t number) { return number >= kFirstNumber + kNumbers; }

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_LOCALE_IDS_H_
