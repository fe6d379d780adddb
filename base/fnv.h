#ifndef ROAM_BASE_FNV_H_
#define ROAM_BASE_FNV_H_

#include <cstdint>
#include <string_view>

namespace roam {

// FNV-1a, 64 bits: a number for bytes that is the same in every build and process, whatever their
// libraries. No checksum: who wants the same number for other bytes finds some. Source: Fowler,
// Noll and Vo.
class Fnv {
 public:
  constexpr void add(unsigned char byte) { value_ = (value_ ^ byte) * 0x100'0000'01b3; }
  constexpr void add(std::string_view text) {
    for (const char c : text) add(static_cast<unsigned char>(c));
  }
  constexpr std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf2'9ce4'8422'2325;
};

constexpr std::uint64_t fnv_of(std::string_view text) {
  Fnv hash;
  hash.add(text);
  return hash.value();
}

}  // namespace roam

#endif  // ROAM_BASE_FNV_H_
