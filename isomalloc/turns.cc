#include "isomalloc/turns.h"

#include <pthread.h>

#include <utility>

#include "base/lock.h"
#include "base/os/give_core.h"

namespace roam::iso {
namespace {

// A run begins or ends for as long as MPI takes.
constexpr long kPauseUs = 200;

constinit Lock turn;
constinit Turns now = Turns::kTaken;        // `turn` is for it
thread_local constinit int turns_here = 0;  // with `turn` held
thread_local constinit bool turns_are_held_here = false;

bool get_turn() {
  if (turns_here > 0) return true;
  turn.lock();
  if (now == Turns::kTaken) return true;
  turn.unlock();
  os::stop_for_us(kPauseUs);
  return false;
}

// Who has a turn frees memory of threads: after frees_of_others.cc.
[[gnu::constructor(105)]] void keep_turn_over_fork() {
  pthread_atfork(
      [] {
        if (turns_here == 0) turn.lock();
      },
      [] {
        if (turns_here == 0) turn.unlock();
      },
      turns_in_child);
}

}  // namespace

Turn (*leave_to_rank)(const char* what, void (*call)(void*), void* argument) = nullptr;

Turns set_turns(Turns turns) {
  turn.lock();
  const Turns before = std::exchange(now, turns);
  turn.unlock();
  turns_are_held_here = turns == Turns::kHeld;
  return before;
}

void turns_in_child() {
  now = Turns::kTaken;
  turns_are_held_here = false;
  if (turns_here == 0) turn.unlock();
}

OwnTurn::OwnTurn() : needless_(turns_are_held_here), taken_(needless_ || get_turn()) {
  if (taken_ && !needless_) ++turns_here;
}

OwnTurn::~OwnTurn() {
  if (taken_ && !needless_ && --turns_here == 0) turn.unlock();
}

}  // namespace roam::iso
