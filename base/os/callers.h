#ifndef ROAM_BASE_OS_CALLERS_H_
#define ROAM_BASE_OS_CALLERS_H_

#include <unwind.h>

#include <cstdint>

namespace roam::os {

// Calls `visit(address, interrupted)` for each of the nearest `most` callers that the unwinder's
// tables tell of, while it says true; `interrupted`: by a signal.
template <class Visit>
void for_each_caller(int most, Visit visit) {
  struct Walk {
    Visit& visit;
    int left;
  } walk{visit, most};
  _Unwind_Backtrace(
      [](_Unwind_Context* frame, void* at) {
        Walk& w = *static_cast<Walk*>(at);
        int interrupted = 0;
        const auto ip = static_cast<std::uintptr_t>(_Unwind_GetIPInfo(frame, &interrupted));
        return w.visit(ip, interrupted != 0) && --w.left > 0 ? _URC_NO_REASON : _URC_END_OF_STACK;
      },
      &walk);
}

}  // namespace roam::os

#endif  // ROAM_BASE_OS_CALLERS_H_
