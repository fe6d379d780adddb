// The calls behind roam/checkpoint.h, and Team::checkpoint.

#include <utility>

#include "base/text.h"
#include "isomalloc/in_process.h"
#include "roam/checkpoint.h"
#include "roam/error.h"
#include "roam/team.h"
#include "runtime/api/caller.h"
#include "runtime/checkpoint/program.h"
#include "runtime/job/job.h"
#include "threads/scheduler.h"

namespace roam {

using detail::Tcb;
using runtime::Answer;
using runtime::the_job;

Resumed checkpoint(std::string_view folder) {
  Tcb* self = runtime::require_thread("checkpoint");
  if (folder.empty()) throw Error(Errc::bad_option, "checkpoint: the folder's name is empty");
  Answer answer(self->id.load(std::memory_order_relaxed));
  // Nothing of the process may be in use here while it waits: this very stack goes on in a restart.
  iso::in_process([&] { the_job().checkpointer().ask(self, folder, &answer); });
  while (!answer.done) threads::scheduler().block("a checkpoint", nullptr);
  if (answer.code != Errc{}) throw Error(answer.code, answer.why);
  return answer.resumed ? Resumed::yes : Resumed::no;
}

Resumed Team::checkpoint(std::string_view folder) const {
  struct Outcome {
    Resumed resumed = Resumed::no;
    Errc code{};
    char why[sizeof Answer::why] = "";
  } outcome;
  barrier();
  if (index() == 0) {
    try {
      outcome.resumed = roam::checkpoint(folder);
    } catch (const Error& error) {
      outcome.code = error.code();
      runtime::copy_text(outcome.why, error.what());
    }
  }
  broadcast(0, outcome);
  if (outcome.code != Errc{}) throw Error(outcome.code, outcome.why);
  return outcome.resumed;
}

void on_checkpoint(std::function<void()> hook) {
  iso::in_process([&] { runtime::program_state().on_checkpoint(std::move(hook)); });
}

void on_restart(std::function<void()> hook) {
  iso::in_process([&] { runtime::program_state().on_restart(std::move(hook)); });
}

namespace detail {

void add_job_data(std::string name, std::function<std::vector<char>()> save,
                  std::function<void(const std::vector<char>&)> load) {
  iso::in_process([&] {
    if (!runtime::program_state().add(name, std::move(save), std::move(load)))
      throw Error(Errc::bad_option,
                  text("job_data: there is an object named '%s' already", name.c_str()));
  });
}

}  // namespace detail
}  // namespace roam
