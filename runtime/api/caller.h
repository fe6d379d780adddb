#ifndef ROAM_RUNTIME_API_CALLER_H_
#define ROAM_RUNTIME_API_CALLER_H_

#include "roam/thread.h"
#include "runtime/net/message.h"

namespace roam {

struct ThreadAccess {
  static Thread make(runtime::Target t) { return Thread(t.id, t.control); }
  static runtime::Target target(Thread t) { return {t.id_, t.control_}; }
};

namespace runtime {

// The calling thread; null in plain code and on kernel threads other than the rank's own.
detail::Tcb* current_thread();
// Errors: Error(not_in_thread) naming `call`.
detail::Tcb* require_thread(const char* call);

}  // namespace runtime
}  // namespace roam

#endif  // ROAM_RUNTIME_API_CALLER_H_
