#include "mpi/image/exits.h"

#include <algorithm>
#include <cstddef>

namespace roam::mpi {

// Each call may ask for more, which comes before what is left, or end the program and not return.
void Exits::run(std::vector<Call>* calls, void* module, int status) {
  for (;;) {
    const auto last = std::find_if(calls->rbegin(), calls->rend(), [&](const Call& call) {
      return module == nullptr || call.module == module;
    });
    if (last == calls->rend()) return;
    const Call call = *last;
    calls->erase(std::next(last).base());
    if (call.with_status != nullptr) {
      call.with_status(status, call.argument);
    } else {
      call.function(call.argument);
    }
  }
}

}  // namespace roam::mpi
