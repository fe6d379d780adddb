#include "runtime/move/open_objects.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string_view>

#include "base/text.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using threads::scheduler;

void OpenObjects::note_open(const void* object, const char* what, Tcb* self, bool lent) {
  const std::lock_guard hold(lock_);
  open_.emplace(object, Open{self->id.load(std::memory_order_relaxed), self, what, lent});
  ++self->open_objects;
}

void OpenObjects::renumber(Tcb* t, std::uint64_t from) {
  const std::lock_guard hold(lock_);
  for (auto& [object, open] : open_) {
    if (open.control == t && open.thread == from)
      open.thread = t->id.load(std::memory_order_relaxed);
  }
}

bool OpenObjects::has_lent(const Tcb* ended, std::uint64_t id) const {
  if (ended->open_objects == 0) return false;
  const std::lock_guard hold(lock_);
  return std::any_of(open_.begin(), open_.end(), [&](const auto& entry) {
    const Open& open = entry.second;
    return open.lent && open.control == ended && open.thread == id;
  });
}

void OpenObjects::inherit(Tcb* heir, const Tcb* ended, std::uint64_t id) {
  if (ended->open_objects == 0) return;
  const std::lock_guard hold(lock_);
  for (auto& [object, open] : open_) {
    if (!open.lent || open.control != ended || open.thread != id) continue;
    open.control = heir;
    open.thread = heir->id.load(std::memory_order_relaxed);
    ++heir->open_objects;
  }
}

void OpenObjects::note_closed(const void* object) {
  const Tcb* self = threads::on_rank_thread ? scheduler().current() : nullptr;
  Open open;
  {
    const std::lock_guard hold(lock_);
    const auto [first, last] = open_.equal_range(object);
    if (first == last) return;
    auto it = first;
    // One that ended in the same memory may have left another of that address.
    const std::uint64_t own = self != nullptr ? self->id.load(std::memory_order_relaxed) : 0;
    for (auto at = first; at != last; ++at) {
      if (at->second.control == self && at->second.thread == own) it = at;
    }
    open = it->second;
    open_.erase(it);
    if (!threads::on_rank_thread) {
      closed_.push_back(open);
      set_due(true);
      return;
    }
  }
  release(open);
}

void OpenObjects::poll() {
  std::vector<Open> closed;
  {
    const std::lock_guard hold(lock_);
    closed.swap(closed_);
    set_due(false);
  }
  for (const Open& open : closed) release(open);
}

// Who opened it is still here, since it could not move, unless it has ended: then its control block
// may be gone.
void OpenObjects::release(const Open& open) {
  Tcb* t = open.control;
  if (detail::owner_of(t) != t) return;
  if (t->id.load(std::memory_order_relaxed) != open.thread) return;
  --t->open_objects;
  scheduler().loosened(t);
}

std::string OpenObjects::pinned_by(const Tcb* t) const {
  std::string why;
  const auto add = [&](const std::string& reason) {
    why += (why.empty() ? "" : ", and ") + reason;
  };
  if (t->pins > 0)
    add("a this_thread::Pin lives in it, it is initialising a static variable or making a thread "
        "or "
        "a team, or a receive or collective under way puts its result into memory of the process");
  {
    const std::lock_guard hold(lock_);
    struct Kind {
      const void* first;
      int count;
    };
    std::map<std::string_view, Kind> kinds;
    for (const auto& [object, open] : open_) {
      if (open.control == t) ++kinds.try_emplace(open.what, Kind{object, 0}).first->second.count;
    }
    for (const auto& [what, kind] : kinds) {
      const std::string more = kind.count > 1 ? text(" and %d more such", kind.count - 1) : "";
      const bool held = what.starts_with("a ") || what.starts_with("an ");
      add(text(held ? "it holds %s (%p)%s" : "it opened a %s (%p)%s that it has not closed",
               what.data(), kind.first, more.c_str()));
    }
  }
  if (t->locks > 0)
    add(text("it holds %d Mutex%s or lock%s of libc", t->locks, t->locks == 1 ? "" : "es",
             t->locks == 1 ? "" : "s"));
  if (t->tied > 0)
    add(
        text("others wait on objects in its memory or hold a lock there, or it gave or was given "
             "an exception through a Promise that still holds it (%d)",
             t->tied));
  return why;
}

}  // namespace roam::runtime
