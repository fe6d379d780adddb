#include "runtime/job/clock_shift.h"

#include <cinttypes>
#include <cstdio>

#include "base/text.h"

namespace roam::runtime {

std::string pack_clock(const ClockSaid& said) {
  return text("%" PRId64 " %" PRId64 " ", said.now_ns, said.shift_ns) + said.name;
}

ClockSaid unpack_clock(const std::string& packed) {
  ClockSaid said;
  int end = 0;
  if (std::sscanf(packed.c_str(), "%" SCNd64 " %" SCNd64 "%n", &said.now_ns, &said.shift_ns,
                  &end) != 2)
    return {};
  said.name = packed.substr(static_cast<std::size_t>(end) + 1);
  return said;
}

std::int64_t first_shift(std::uint64_t clock_ns, std::int64_t now_ns) {
  return clock_ns == 0 ? 0 : static_cast<std::int64_t>(clock_ns) - now_ns;
}

std::int64_t shift_after(const ClockSaid& said, const std::string& name, std::int64_t now_ns) {
  return said.name == name && !name.empty() ? said.shift_ns : said.now_ns + said.shift_ns - now_ns;
}

}  // namespace roam::runtime
