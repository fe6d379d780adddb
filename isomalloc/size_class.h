#ifndef ROAM_ISOMALLOC_SIZE_CLASS_H_
#define ROAM_ISOMALLOC_SIZE_CLASS_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace roam::iso {

// Size classes of small blocks: multiples of 16 up to 128 bytes, then four a doubling (waste at
// most a fifth), up to 28 KiB, of which two fit a span. Larger blocks get a span of their own.
inline constexpr std::uint32_t kSizeClasses = 39;
inline constexpr std::size_t kSmallestBlock = 16;
inline constexpr std::size_t kLargestSmall = 28 << 10;

constexpr std::size_t class_bytes(std::uint32_t size_class) {
  if (size_class < 8) return 16 * (std::size_t{size_class} + 1);
  const std::uint32_t doubling = (size_class - 8) / 4;
  const std::uint32_t quarter = (size_class - 8) % 4 + 1;
  return (std::size_t{128} << doubling) + (std::size_t{32} << doubling) * quarter;
}

constexpr std::uint32_t compute_class_of(std::size_t bytes) {
  if (bytes <= 128) return bytes == 0 ? 0 : static_cast<std::uint32_t>((bytes - 1) / 16);
  const int log = 63 - std::countl_zero(bytes - 1);  // 128 < bytes: log >= 7
  const std::size_t quarter = (bytes - 1 - (std::size_t{1} << log)) >> (log - 2);
  return 8 + static_cast<std::uint32_t>(log - 7) * 4 + static_cast<std::uint32_t>(quarter);
}

// By table: one load, and no branch that sizes which change would make the processor guess wrongly.
inline constexpr auto kClassTable = [] {
  std::array<std::uint8_t, kLargestSmall / 16 + 1> table{};
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = static_cast<std::uint8_t>(compute_class_of(i * 16));
  return table;
}();

// REQUIRES: bytes <= kLargestSmall.
inline std::uint32_t class_of(std::size_t bytes) { return kClassTable[(bytes + 15) / 16]; }

static_assert(class_bytes(kSizeClasses - 1) == kLargestSmall);
static_assert(compute_class_of(kLargestSmall) == kSizeClasses - 1);
static_assert(compute_class_of(129) == 8 && class_bytes(8) == 160 && compute_class_of(160) == 8);
static_assert(compute_class_of(161) == 9 && compute_class_of(256) == 11 && class_bytes(11) == 256);

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_SIZE_CLASS_H_
