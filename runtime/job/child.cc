#include "runtime/job/child.h"

#include <cstdlib>

#include "base/check.h"
#include "isomalloc/capture.h"
#include "runtime/life/failures.h"
#include "runtime/job/job.h"
#include "threads/child.h"
#include "threads/inspect.h"

namespace roam::runtime {
namespace {

// Of a process that runs one thread only: it is told when that one ends.
class LastThread final : public threads::Host {
 public:
  void poll() override {}
  void idle(std::int64_t) override {}
  void depart(Tcb*, int) override {}
  void ended(Tcb* t) override { end(t); }
  bool ended_clean(Tcb* t) override { end(t); }
  bool done() override { return false; }

 private:
  [[noreturn]] static void end(const Tcb* t) {
    if (t->exception) fatal("uncaught %s", describe_exception(t->exception).c_str());
    std::exit(t->is_root ? the_job().exit_code() : 0);
  }
};

}  // namespace

void watch_forks() {
  static LastThread last;
  threads::child_hooks.host = &last;
  threads::child_hooks.begin = [] {
    the_job().leave();
    fatal_hooks.end_job = nullptr;
    iso::process_hooks.opened = nullptr;
    iso::process_object_closed = nullptr;
    threads::retract_inspect_facts();
  };
}

}  // namespace roam::runtime
