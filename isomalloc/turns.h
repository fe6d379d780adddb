#ifndef ROAM_ISOMALLOC_TURNS_H_
#define ROAM_ISOMALLOC_TURNS_H_

namespace roam::iso {

// Who may use what belongs to the rank: its pools of addresses, and the unit map of what is in
// them.
enum class Turn {
  kMine,      // the caller runs the rank's threads
  kAnybodys,  // no run is under way: kernel threads take turns
  kTaken,     // the rank did for the caller what it asked for
};

// The layer that has threads sets it: does call(argument) on the rank's own kernel thread if a run
// is under way and the caller is another one. Null: there are no threads.
// Errors: what `call` throws.
extern Turn (*leave_to_rank)(const char* what, void (*call)(void*), void* argument);

// Whether kernel threads may take turns.
enum class Turns {
  kTaken,   // one after the other
  kHeld,    // they wait: a run begins or ends, and the rank's kernel thread uses all itself
  kAtRank,  // none: who asks, asks the rank
};
// Sets that, and returns what it was. Waits until nobody has a turn.
// Context: the rank's kernel thread, which needs no turn while they are held.
Turns set_turns(Turns turns);
// In a child of fork, whose fork may have called no handlers (_Fork): it has no rank that could be
// asked, nor one that begins or ends a run, and who else had a turn is not there.
void turns_in_child();

// While one lives that is taken, other kernel threads that have no rank to ask wait. Nests.
class OwnTurn {
 public:
  // Not taken: there are none now, and a moment has passed.
  OwnTurn();
  ~OwnTurn();
  OwnTurn(const OwnTurn&) = delete;
  OwnTurn& operator=(const OwnTurn&) = delete;
  bool taken() const { return taken_; }

 private:
  const bool needless_;  // the caller holds them
  const bool taken_;
};

// f(), wherever the rank's memory may be used.
//
// Context: any kernel thread; `what` is the public call.
template <class F>
void take_turn(const char* what, F f) {
  for (;;) {
    const Turn turn = leave_to_rank == nullptr
                          ? Turn::kAnybodys
                          : leave_to_rank(
                                what, [](void* call) { (*static_cast<F*>(call))(); }, &f);
    if (turn == Turn::kTaken) return;
    if (turn == Turn::kMine) {
      f();
      return;
    }
    // A run may have begun since.
    const OwnTurn own;
    if (!own.taken()) continue;
    f();
    return;
  }
}

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_TURNS_H_
