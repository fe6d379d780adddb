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

// A new thread is its maker's rank's, and so is its maker, if it is a thread, from where there is a
// control block until the new one is named or given up: what copies its function may wait.
void begin_making();
void end_making();

}  // namespace runtime
}  // namespace roam

#endif  // ROAM_RUNTIME_API_CALLER_H_
