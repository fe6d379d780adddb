// What keeps a thread on its rank.

#include "base/text.h"
#include "runtime/runtime.h"

namespace roam::runtime {

using threads::scheduler;

void Runtime::note_open(const void* object, const char* what) {
  Tcb* self = scheduler().current();
  open_objects_[object] = {self->id.load(std::memory_order_relaxed), self, what};
  ++self->open_objects;
}

void Runtime::note_closed(const void* object) {
  const auto it = open_objects_.find(object);
  if (it == open_objects_.end()) return;
  const Open open = it->second;
  open_objects_.erase(it);
  // Who opened it is still here, unless it has ended: it could not move.
  if (open.control->id.load(std::memory_order_relaxed) != open.thread) return;
  --open.control->open_objects;
  scheduler().loosened(open.control);
}

std::string Runtime::pinned_by(const Tcb* t) const {
  std::string why;
  const auto add = [&](const std::string& reason) {
    why += (why.empty() ? "" : ", and ") + reason;
  };
  if (t->pins > 0)
    add("a this_thread::Pin lives in it, it is initialising a static variable, or a receive or "
        "collective under way puts its result into memory of the process");
  for (const auto& [object, open] : open_objects_) {
    if (open.control == t)
      add(text("it opened a %s (%p) that it has not closed", open.what, object));
  }
  if (t->locks > 0)
    add(text("it holds %d Mutex%s or lock%s of libc", t->locks, t->locks == 1 ? "" : "es",
             t->locks == 1 ? "" : "s"));
  if (t->tied > 0)
    add(
        text("others wait on objects in its memory, or it gave or was given an exception through a "
             "Promise that still holds it (%d)",
             t->tied));
  return why;
}

}  // namespace roam::runtime
