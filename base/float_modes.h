#ifndef ROAM_BASE_FLOAT_MODES_H_
#define ROAM_BASE_FLOAT_MODES_H_

#include <cstdint>

namespace roam {

// What the results of floating-point operations depend on: how they are rounded, whether numbers
// below the normal ones count as zero (-Ofast), and the precision of x87. Not what traps.
//
//   | MXCSR: flush to zero, rounding | x87: rounding, precision | MXCSR: denormals are zeros |
//   15                              13 11                       8 6
//
// Those bits of both registers lie beside each other; 0 is how every program begins.
class FloatModes {
 public:
  FloatModes() = default;
  explicit FloatModes(std::uint16_t bits) : bits_(bits) {}
  // Those of the running code.
  static FloatModes now() {
    const std::uint32_t bits = (mxcsr() & kOfMxcsr) | (x87() & kOfX87);
    return FloatModes(static_cast<std::uint16_t>(bits ^ kUsual));
  }
  std::uint16_t bits() const { return bits_; }
  bool operator==(const FloatModes&) const = default;

  class Scope;

 private:
  static constexpr std::uint32_t kOfMxcsr = 0xE040, kOfX87 = 0x0F00;
  static constexpr std::uint32_t kUsual = 0x0300;  // x87 begins with its full precision

  static std::uint32_t mxcsr() {
    std::uint32_t value;
    asm volatile("stmxcsr %0" : "=m"(value)::"memory");
    return value;
  }
  static std::uint16_t x87() {
    std::uint16_t value;
    asm volatile("fnstcw %0" : "=m"(value)::"memory");
    return value;
  }
  static void load(FloatModes modes) {
    const std::uint32_t bits = modes.bits_ ^ kUsual;
    const std::uint32_t of_sse = (mxcsr() & ~kOfMxcsr) | (bits & kOfMxcsr);
    const auto of_x87 = static_cast<std::uint16_t>((x87() & ~kOfX87) | (bits & kOfX87));
    asm volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(of_sse), "m"(of_x87) : "memory");
  }

  std::uint16_t bits_ = 0;
};

// While one lives, what runs here has these modes. What traps, and what has been seen, stays.
class FloatModes::Scope {
 public:
  explicit Scope(FloatModes modes) : outer_(now()), differs_(modes != outer_) {
    if (differs_) [[unlikely]]
      load(modes);
  }
  ~Scope() {
    if (differs_) [[unlikely]]
      load(outer_);
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  const FloatModes outer_;
  const bool differs_;
};

}  // namespace roam

#endif  // ROAM_BASE_FLOAT_MODES_H_
