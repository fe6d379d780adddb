#ifndef ROAM_ERRAND_H_
#define ROAM_ERRAND_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "roam/rehome.h"

// How kernel threads that the program makes use what threads of Roam share: nothing of that is
// guarded against them, so they leave an errand, which the rank's own kernel thread does between
// two threads, and wait until it is done.
namespace roam::detail {

struct Tcb;

// True in a kernel thread of the program beside the one that runs the rank's threads.
bool outside();

// `call(argument)` on the rank's own stack, the capture off; wakes the rank. Returns when it is
// done.
//
// Context: where outside() is true.
// Errors:  what `call` throws; Error(not_running) if no run is under way here, and nothing was
//          done.
void run_errand(const char* what, void (*call)(void*), void* argument);

// Sleeps between two looks at what is waited for, longer each time up to this round.
inline constexpr int kLongestPause = 6;
void between_looks(int round);
bool time_is_up(std::int64_t deadline_ns);

// Whether memory that the calling kernel thread allocates keeps a thread where it is while it
// lives: of one that a thread of Roam started.
bool memory_is_known();
// Throws Error(not_in_thread) that names `call`, and says that T cannot be copied.
[[noreturn]] void refuse_to_move(const char* call);

// f() as an errand.
template <class F>
std::invoke_result_t<F&> errand(const char* what, F f) {
  using R = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<R>) {
    run_errand(
        what, [](void* call) { (*static_cast<F*>(call))(); }, &f);
  } else if constexpr (std::is_reference_v<R>) {
    return *errand(what, [&f] { return &f(); });
  } else {
    struct Call {
      F& f;
      std::optional<R> result;
    } call{f, std::nullopt};
    run_errand(
        what,
        [](void* c) {
          Call& call = *static_cast<Call*>(c);
          call.result.emplace(call.f());
        },
        &call);
    return std::move(*call.result);
  }
}

// While a kernel thread outside waits for what lies at `object`, the thread in whose memory that is
// stays on its rank.
class TieFromOutside {
 public:
  TieFromOutside(const char* what, const void* object) : what_(what), object_(object) {}
  ~TieFromOutside();  // by an errand, if it is still tied
  TieFromOutside(const TieFromOutside&) = delete;
  TieFromOutside& operator=(const TieFromOutside&) = delete;

  // f(), which looks whether the object is here; tied if it says no, and not otherwise.
  // Context: an errand.
  template <class F>
  bool look(F& f) {
    try {
      if (!f()) {
        tie();
        return false;
      }
    } catch (...) {
      untie();
      throw;
    }
    untie();
    return true;
  }

 private:
  void tie();
  void untie();

  const char* what_;
  const void* object_;
  Tcb* tied_ = nullptr;
  std::uint64_t id_ = 0;
};

// Asks f() as an errand until it says yes. It looks at `object`, and calls check_home first. False:
// the time ran out.
template <class F>
bool errand_until(const char* what, const void* object, std::int64_t deadline_ns, F f) {
  TieFromOutside owner(what, object);
  for (int round = 0; !errand(what, [&] { return owner.look(f); });) {
    if (time_is_up(deadline_ns)) return false;
    between_looks(round);
    if (round < kLongestPause) ++round;
  }
  return true;
}
inline constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();

// A T that passes between a thread and a kernel thread outside is copied: memory of the one would
// not stay where the other is.
template <class T>
constexpr bool passes() {
  if constexpr (std::is_void_v<T> || std::is_reference_v<T>) {
    return true;
  } else {
    return std::is_trivially_copyable_v<T> || Copyable<T>::value;
  }
}
template <class T>
void check_given(const char* call) {
  if (!passes<T>() && !memory_is_known()) refuse_to_move(call);
}
template <class T>
void check_taken(const char* call) {
  if (!passes<T>()) refuse_to_move(call);
}

}  // namespace roam::detail

#endif  // ROAM_ERRAND_H_
