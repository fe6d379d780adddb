#include "runtime/place/answer.h"

#include "base/check.h"
#include "threads/scheduler.h"

namespace roam::runtime {

Answer* awaited_answer(Target asker) {
  const Tcb* self = asker.control;
  ROAM_CHECK(self->id.load(std::memory_order_relaxed) == asker.id && self->answer != nullptr,
             "an answer came for thread %llu, which does not wait for one",
             static_cast<unsigned long long>(asker.id));
  return static_cast<Answer*>(self->answer);
}

void give_answer(Target asker, Errc code, const char* why) {
  Answer* answer = awaited_answer(asker);
  Tcb* self = asker.control;
  self->answer = nullptr;
  answer->code = code;
  if (*why != '\0') copy_text(answer->why, why);
  answer->done = true;
  if (self->state == detail::State::kBlocked) threads::scheduler().make_ready(self);
}

}  // namespace roam::runtime
