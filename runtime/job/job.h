#ifndef ROAM_RUNTIME_JOB_JOB_H_
#define ROAM_RUNTIME_JOB_JOB_H_

#include <cstdint>
#include <optional>

#include "base/options.h"
#include "runtime/checkpoint/restart.h"
#include "runtime/job/components.h"
#include "runtime/job/termination.h"
#include "threads/lookout.h"
#include "threads/scheduler.h"

namespace roam::runtime {

// One rank's part in the job: starts it and ends it, gives the scheduler its work and its way out,
// and knows when everything has ended. Context: the rank's kernel thread, capture off, unless
// noted.
class Job final : public threads::Host {
 public:
  // Collective. Errors: those of roam::run.
  void start(int& argc, char**& argv);
  // Whether the job goes on from a checkpoint: it has its root already.
  bool restarts() const { return restart_.has_value(); }
  // Runs until every thread everywhere has ended. Returns root's code.
  int run();
  void finish();
  bool running() const { return running_; }
  // In a process that fork made: the job goes on without it.
  void leave() { running_ = false; }
  // Root's, on the rank where it ends; the last wave brings it to all.
  void set_exit_code(int code) {
    termination_.exit_code = static_cast<std::uint64_t>(std::int64_t{code});
  }
  int exit_code() const { return static_cast<int>(termination_.exit_code); }
  const Options& options() const { return options_; }

  // Its parts.
  Net& net() { return components_.net; }
  Locator& locator() { return *components_.locator; }
  OpenObjects& open_objects() { return components_.open_objects; }
  Mover& mover() { return *components_.mover; }
  Lifecycle& life() { return *components_.life; }
  Whereabouts& whereabouts() { return *components_.whereabouts; }
  Post& post() { return *components_.post; }
  Gatherings& gatherings() { return *components_.gatherings; }
  Members& members() { return *components_.members; }
  Teams& teams() { return *components_.teams; }
  Checkpointer& checkpointer() { return *components_.checkpointer; }
  Balancer& balancer() { return *components_.balancer; }
  int rank() const { return components_.net.rank(); }
  int ranks() const { return components_.net.ranks(); }

  // Host
  void poll() override;
  void idle(std::int64_t wake_ns) override;
  void depart(Tcb* t, int rank) override { mover().depart(t, rank); }
  void ended(Tcb* t) override { life().ended(t); }
  bool ended_clean(Tcb* t) override { return life().ended_clean(t); }
  void untie_elsewhere(Tcb* t, std::uint64_t id) override { life().untie_elsewhere(t, id); }
  bool done() override { return termination_.done(); }

  // A handler of a signal asks for dump().
  void request_dump() { dump_wanted_ = 1; }
  // ... and for a checkpoint.
  void request_checkpoint() { checkpoint_wanted_ = 1; }

 private:
  Mpi& mpi() { return components_.net.mpi(); }
  // One message, whether it came from outside or from here.
  void handle(int from, const char* message, std::size_t bytes);
  void receive();
  // False: what mail has brought to an idle rank runs first.
  bool poll_components();
  // Gives back all memory that is kept for reuse.
  void reclaim();
  void begin_first_run(bool alone);
  // What a checkpoint says of its job, and a restart of its own.
  void describe(Manifest* manifest) const;
  Checkpointer::Facts facts();
  // Threads of a checkpoint go on here.
  void resume();
  void wait_until_quiet();
  struct Sums {
    std::uint64_t busy = 0, sent = 0, received = 0;
  };
  Sums sum_while_polling(const Sums& of_rank);
  void place_arena(bool is_there);
  // Collective, when every thread has ended: answers what others still ask.
  void answer_to_the_end();
  void limit_memory();
  void look_at_cores();
  void share_locale();
  void check_start();
  void check_layout();
  void check_unjoined();
  void set_clock();
  void tell_of_start();
  [[noreturn]] void end_deadlocked();
  // What other ranks may have sent that this one has not taken, of one that stands still; null:
  // nothing. Context: any kernel thread.
  const char* unheard() const;
  // Kernel threads that neither the runtime nor MPI made for themselves: they may wake threads.
  std::uint64_t outsiders() const;
  // Nothing but kernel threads of the program can wake a thread of the job: says so if it lasts.
  void note_outsiders();
  void dump();
  RankCounts rank_counts();
  bool passive() const;
  void look_for_the_end();
  // One that this rank has joined may have ended since.
  void look_at_wave();
  // Whether none may be finding the end of the job: what begins now would not be seen.
  bool no_wave();
  void rest(std::int64_t wake_ns);
  void tell_idle(Component::Idle stage) {
    for (Component* c : components_.idlers()) c->idle(stage);
  }

  Options options_;
  Components components_;
  Termination termination_;
  std::optional<Restart> restart_;
  bool running_ = false;
  bool later_run_ = false;  // of this process
  std::optional<threads::Lookout> lookout_;
  // Since when only kernel threads of the program can wake anybody; 0: that is not so.
  std::int64_t outsiders_since_ns_ = 0;
  std::uint64_t outsiders_switches_ = 0;  // the scheduler's, then
  bool oversubscribed_ = false;
  int idle_rounds_ = 0;
  std::uint64_t idle_switches_ = 0;
  bool messages_in_groups_ = false;  // the last time that some were waiting, more than one did
  std::uint32_t lone_polls_ = 0;
  std::uint32_t mail_polls_ = 0;
  std::uint32_t message_polls_ = 0;
  bool mail_lately_ = false;  // what came last came from the node
  std::uintptr_t canary_ = 0;
  volatile int dump_wanted_ = 0;
  volatile int checkpoint_wanted_ = 0;
};

// This rank's job. No function-local static, as for the scheduler: every spawn and join would check
// its guard several times.
extern unsigned char job_room[];
inline Job& the_job() { return *reinterpret_cast<Job*>(job_room); }

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_JOB_JOB_H_
