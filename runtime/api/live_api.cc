// The calls behind roam/live.h.

#include <cstdint>

#include "base/text.h"
#include "isomalloc/in_process.h"
#include "roam/error.h"
#include "roam/live.h"
#include "runtime/api/caller.h"
#include "runtime/job/job.h"
#include "threads/scheduler.h"

namespace roam {

using detail::Tcb;
using runtime::Answer;
using runtime::require_thread;
using runtime::the_job;

void migrate(Thread t, int rank, Live live) {
  Tcb* self = require_thread("migrate");
  Answer answer(t.id());
  iso::in_process([&] {
    the_job().net().check_rank(rank, "migrate");
    if (!t) throw Error(Errc::no_such_thread, "migrate: the Thread is empty");
    const std::int64_t most_us = live.most_still.count();
    constexpr std::int64_t kMostUs = UINT32_MAX - 1;
    if (most_us < 0 || most_us > kMostUs) {
      throw Error(Errc::bad_option,
                  text("migrate: Live::most_still is %lld us; allowed are 0 to %lld us",
                       static_cast<long long>(most_us), static_cast<long long>(kMostUs)));
    }
    the_job().mover().move(self, ThreadAccess::target(t), rank, &answer,
                           static_cast<std::uint32_t>(most_us) + 1);
    while (!answer.done) threads::scheduler().block("the answer to migrate", nullptr);
  });
  if (answer.code != Errc{}) throw Error(answer.code, answer.why);
}

namespace this_thread {

LiveMove live_move() {
  Tcb* self = require_thread("this_thread::live_move");
  LiveMove move;
  char why[200] = {};  // what is of the process stays there
  iso::in_process([&] {
    const runtime::LiveReport* report = the_job().mover().live().report_of(self);
    if (report == nullptr) return;
    move.live = report->live;
    move.rounds = report->rounds;
    move.bytes_running = report->bytes_running;
    move.bytes_still = report->bytes_still;
    move.still = std::chrono::nanoseconds(report->live ? report->still_ns : 0);
    runtime::copy_text(why, report->why.c_str());
  });
  move.why = why;
  return move;
}

}  // namespace this_thread
}  // namespace roam
