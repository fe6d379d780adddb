// What team.balance() does.

#include <cstring>

#include "runtime/runtime.h"

namespace roam::runtime {

void Runtime::plan_balance(Parts* parts, int size) {
  (void)size;
  (void)parts;
}

}  // namespace roam::runtime

namespace roam::detail {
bool team_balance(std::uint64_t) { return false; }
}
