#ifndef ROAM_RUNTIME_LIFE_LIFECYCLE_H_
#define ROAM_RUNTIME_LIFE_LIFECYCLE_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "runtime/life/failures.h"
#include "runtime/move/mover.h"
#include "runtime/move/open_objects.h"
#include "runtime/net/net.h"
#include "runtime/place/answer.h"
#include "runtime/place/locator.h"

namespace roam::runtime {

struct EndedHead {
  Kind kind;
  std::uint32_t remains;  // its exception or memory waits on `rank` for who joins; 0: nothing does,
                          // or not any more
  std::uint64_t id;
  std::int32_t rank;
};

struct JoinHead {
  Kind kind;
  std::int32_t joiner_rank;
  Target target;
  Target joiner;
  std::uint32_t at_remains;  // sent on by the home rank to where the remains wait
};

struct JoinedHead {
  Kind kind;
  Errc code;  // 0: ended; else what join throws
  Target joiner;
  Tcb* remains;  // on the same node: the ended thread, whose memory and exception go to the joiner
  char why[200];
};

struct UntieHead {
  Kind kind;
  std::uint32_t padding;
  Target thread;  // as it was tied; see threads/ties.h
};

// The beginning and end of threads on one rank, joins, and the remains of those that have ended:
// exceptions and memory, kept for who joins, and taken over by them.
class Lifecycle final : public Component, public Mover::Joiners {
 public:
  Lifecycle(Net& net, Locator& locator, OpenObjects& open_objects)
      : net_(net), locator_(locator), open_objects_(open_objects) {}

  // A run begins, with a mover of its own. `watched`: who ends is looked at, so that there is no
  // short way.
  void begin_run(Mover* mover, bool watched);

  // ---- beginning ----

  // A new thread begins: counted, with an id, ready here or on its way to `to`.
  Target begin(Tcb* t, int to);
  // The two halves of begin(): an id, so that others can speak of `t`; then it runs.
  Target name(Tcb* t);
  void start_named(Tcb* t);
  void unname(Tcb* t);  // it will never run
  // `t` never ran: an exception left its making. The exception is in its heap, which becomes the
  // spawner's.
  void abandon(Tcb* t, Tcb* spawner);
  void make_next_root() { root_next_ = true; }  // the next thread is run()'s own

  // ---- end ----

  // The function of `t` has returned; see threads::Host.
  void ended(Tcb* t);
  bool ended_clean(Tcb* t);
  // See threads::Host.
  void untie_elsewhere(Tcb* t, std::uint64_t id);
  // `self` waits for the end of the thread, and gets `answer`.
  void join(Tcb* self, Target t, Answer* answer);
  // Gives back what ended threads left that has been freed since.
  void sweep_leftovers();

  std::uint64_t created() const { return created_; }  // threads, in this run
  std::uint64_t ended() const { return ended_; }
  // Names exceptions that nobody joined on stderr; their number.
  int report_unjoined() const;

  // ---- checkpoints ----

  // So many threads of an earlier job go on here.
  void resume(std::uint64_t threads) {
    created_ = threads;
    ended_ = 0;
  }
  // Calls `visit` for what ended threads of this rank left.
  template <class Visit>
  void for_each_leftover(Visit visit) const {
    for (const auto& [id, t] : leftovers_) visit(t);
  }
  // One of those, of an earlier job, is here. REQUIRES: restore() had its number.
  void restored_leftover(Tcb* ended);
  // Exceptions of ended threads that lie in memory of the process come into theirs.
  void settle() override;
  std::string obstacle() const override;
  void save(StateWriter& out) override;
  void restore(int piece, StateReader& in) override;
  // Who waits for the end of a thread waits again.
  void restored(Tcb* t) override;

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  // Tells homes of leftovers that are none any more.
  void poll() override;
  void reclaim() override { sweep_leftovers(); }
  void finish_run() override { mover_ = nullptr; }
  // Exceptions with which threads ended.
  void report_causes() const override { failures_.report(); }
  std::uint64_t causes() const override { return failures_.count(); }
  std::string describe_causes(std::uint64_t) const override {
    return "threads that ended with an exception, named above, may be what others wait for";
  }

  // Mover::Joiners
  void take(Tcb* t, std::vector<std::vector<char>>* messages) override;
  void remains_came(Tcb* ended, Target joiner) override { answer_here(joiner, Errc{}, "", ended); }
  void remains_refused(Tcb* ended, int to, Errc code, const char* why, Target joiner) override;

 private:
  void try_join(const JoinHead& head);
  void on_ended(const EndedHead& head);
  void answer_join(const JoinHead& head, Errc code, const char* why, Tcb* remains);
  void answer_here(Target asker, Errc code, const char* why, Tcb* remains);
  void give_remains(const JoinHead& head, std::uint64_t id, Tcb* ended);
  std::vector<JoinHead> take_joiners(Tcb* t, std::uint64_t id);
  // `id`: the number that `ended` had; 0 if it never ran.
  void adopt(Tcb* joiner, Tcb* ended, std::uint64_t id);
  void note_gone(std::uint64_t id);
  static bool bring_home(Tcb* ended);

  Net& net_;
  Locator& locator_;
  OpenObjects& open_objects_;
  Mover* mover_ = nullptr;
  bool watched_ = false;
  bool root_next_ = false;
  std::uint64_t created_ = 0, ended_ = 0;
  Failures failures_;
  // More joiners of a thread than its control block has room for: by its id.
  std::unordered_map<std::uint64_t, std::vector<JoinHead>> joiners_;
  // Ended threads whose exception or memory waits for a joiner: by id.
  std::unordered_map<std::uint64_t, Tcb*> leftovers_;
  std::size_t swept_leftovers_ = 64;
  // Of a checkpoint: the number of each whose memory is still to come.
  std::unordered_map<const Tcb*, std::uint64_t> coming_leftovers_;
  std::vector<EndedHead> gone_;  // of leftovers that are none any more, for their homes
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_LIFE_LIFECYCLE_H_
