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

// While one lives, other kernel threads that have no rank to ask wait. Nests.
class OwnTurn {
 public:
  OwnTurn();
  ~OwnTurn();
  OwnTurn(const OwnTurn&) = delete;
  OwnTurn& operator=(const OwnTurn&) = delete;
};

// f(), wherever the rank's memory may be used.
//
// Context: any kernel thread; `what` is the public call.
template <class F>
void take_turn(const char* what, F f) {
  const Turn turn = leave_to_rank == nullptr
                        ? Turn::kAnybodys
                        : leave_to_rank(
                              what, [](void* call) { (*static_cast<F*>(call))(); }, &f);
  if (turn == Turn::kTaken) return;
  if (turn == Turn::kMine) {
    f();
    return;
  }
  const OwnTurn own;
  f();
}

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_TURNS_H_
