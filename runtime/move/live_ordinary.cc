// Live moves that become ordinary ones.

#include <utility>
#include <vector>

#include "base/text.h"
#include "runtime/move/live_source.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using threads::scheduler;

void LiveSource::note_ordinary(std::uint64_t id, const char* name, const std::string& why) {
  reports_.note(id, {.pending = true, .why = why});
  if (verbose_ > 0) {
    report(text("thread '%s' moves from rank %d, and stands still meanwhile: %s", name, net_.rank(),
                why.c_str())
               .c_str());
  }
}

// It moves as any other thread does.
void LiveSource::make_ordinary(const Wish& wish, const std::string& why) {
  note_ordinary(wish.id, wish.t->name(), why);
  scheduler().ask_to_move(wish.t, wish.to);
}

void LiveSource::make_ordinary(const char* why) {
  std::vector<Wish> wishes(waiting_.begin(), waiting_.end());
  if (now_) wishes.push_back(*now_);
  waiting_.clear();
  if (now_) end_session(true);
  for (const Wish& wish : wishes) {
    Tcb* t = here(wish);
    if (t == nullptr || t->state == detail::State::kDeparting) continue;
    note_ordinary(wish.id, t->name(), why);
    t->move_to = wish.to;  // for the checkpoint: it looks when it runs
    to_ask_.push_back(wish);
  }
  end_watch();
}

void LiveSource::ask_again(Tcb* t) {
  if (t->move_to >= 0) to_ask_.push_back({t, t->id.load(std::memory_order_relaxed), t->move_to, 0});
}

// Those that wait for something do not look, and who is in the ready queue would wait for its turn.
void LiveSource::ask_those_made_ordinary() {
  for (const Wish& wish : std::exchange(to_ask_, {})) {
    Tcb* t = here(wish);
    if (t != nullptr && t->state != detail::State::kDeparting && t->move_to == wish.to)
      scheduler().ask_to_move(t, wish.to);
  }
}

}  // namespace roam::runtime
