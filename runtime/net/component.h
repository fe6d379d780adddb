#ifndef ROAM_RUNTIME_NET_COMPONENT_H_
#define ROAM_RUNTIME_NET_COMPONENT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/check.h"
#include "runtime/net/message.h"
#include "runtime/net/state.h"

namespace roam::runtime {

// A part of the runtime. The job has a list of them: what a part does when its messages come,
// between turns of threads, before the job may end and at its end is said here.
//
// Context: the rank's kernel thread, its own stack, capture off, unless noted.
class Component {
 public:
  virtual ~Component() = default;

  // The kinds of message that are this component's. No other has them.
  virtual std::span<const Kind> kinds() const { return {}; }
  // One of them came from rank `from`. `message` has no alignment, and is valid until this returns.
  virtual void handle(int from, const char* message, std::size_t bytes);

  // Called now and then while due(): between turns of threads, and by an idle rank all the time.
  virtual void poll() {}
  bool due() const { return due_.load(std::memory_order_relaxed); }
  bool polls() const { return polls_; }

  // Whether nothing is under way here that this rank has to finish. The job ends, or is deadlocked,
  // only when every component of every rank is quiet.
  virtual bool quiet() const { return true; }
  // Whether another rank waits for what this one does next, so that it should not sleep. Quiet ones
  // may be urgent.
  virtual bool urgent() const { return false; }
  // The rank has nothing to run. kBegins: since now. kSpins: now and then while it looks around
  // without pause, before it takes part in finding the job's end. kLong: for a while, each time
  // that it looks again.
  enum class Idle { kBegins, kSpins, kLong };
  virtual void idle(Idle) {}
  bool heeds_idle() const { return heeds_idle_; }
  // The node is short of memory, or the run has ended on every rank: gives back all that is kept
  // for reuse.
  virtual void reclaim() {}
  // The last thread of the job has ended. Other ranks may still ask for what this one has.
  virtual void run_ended() {}
  // After reclaim() of every component of every rank, with nothing under way: the run is over here.
  // Collective, as all ranks have the same list.
  virtual void finish_run() {}

  // ---- checkpoints (runtime/checkpoint): no thread runs meanwhile ----

  // Brings what is for threads of this rank into their memory, or on its way there. Called again
  // and again, until every rank is quiet.
  virtual void settle() {}
  // What forbids a checkpoint just now, and passes; empty: nothing does. Every rank is quiet.
  virtual std::string obstacle() const { return {}; }
  // What it knows of the job that lies in no thread's memory.
  virtual void save(StateWriter&) {}
  // That of rank `piece` of the job that made the checkpoint, which had another number of ranks
  // perhaps: called on the rank that Net::home_rank() names, before any thread is here. What
  // belongs to other ranks is sent to them.
  virtual void restore(int /*piece*/, StateReader&) {}
  // `t` of a checkpoint is here now, blocked, asleep or ready, as restore() of all ranks had it.
  virtual void restored(Tcb*) {}

  // Lines for a person who asks what a hung rank waits for; empty: nothing to say.
  virtual std::string describe() const { return {}; }
  // The same of what `t`, a blocked thread of this rank, waits for: goes on with the line about it.
  virtual std::string describe_wait(const Tcb*) const { return {}; }
  // Nothing of the job can wake its threads: says on stderr what happened here that may be why.
  virtual void report_causes() const {}
  // How many causes of a deadlock there are here, and what rank 0 says of those of all ranks
  // together, if there are any.
  virtual std::uint64_t causes() const { return 0; }
  virtual std::string describe_causes(std::uint64_t /*of_all_ranks*/) const { return {}; }

 protected:
  Component() = default;
  // With `heeds_idle`: it has an idle() of its own, which is not called otherwise. Without `polls`:
  // it is never due.
  explicit Component(bool heeds_idle, bool polls = true) : heeds_idle_(heeds_idle), polls_(polls) {}
  // Whether poll() has anything to do. Context: any kernel thread.
  void set_due(bool due) {
    ROAM_CHECK(!due || polls_, "a component that said that it does not poll is due");
    due_.store(due, std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> due_ = false;
  const bool heeds_idle_ = false;
  const bool polls_ = true;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_COMPONENT_H_
