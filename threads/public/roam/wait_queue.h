#ifndef ROAM_WAIT_QUEUE_H_
#define ROAM_WAIT_QUEUE_H_

#include <cstdint>
#include <exception>
#include <type_traits>

// What the objects of roam/sync.h are made of.
namespace roam {

namespace detail {

struct Tcb;  // a thread's control block

// FIFO of suspended threads, linked through their control blocks.
class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  bool empty() const { return head_ == nullptr; }

  // Suspends the calling thread until it is woken. `object` is what it waits on, `what` its kind,
  // e.g. "Mutex".
  void wait(const void* object, const char* what);
  // The same, at most until `deadline_ns` on the job's clock. False: the time ran out.
  bool wait_until(const void* object, const char* what, std::int64_t deadline_ns);
  // Wakes the first that waits and returns it, or null.
  Tcb* wake_one();
  void wake_all();

 private:
  friend struct WaitQueueAccess;
  Tcb* head_ = nullptr;
  Tcb* tail_ = nullptr;
};

// Throws Error(wrong_rank) if `object` lives in the memory of a thread that is on another rank, or
// in a block of iso_malloc that ranks share, and Error(not_in_thread) in a kernel thread outside.
void check_home(const void* object, const char* what);
// The same, but false in a kernel thread outside, which leaves an errand (roam/errand.h).
bool is_here(const void* object, const char* what);

// What copies a T may wait, and others run meanwhile.
template <class T>
inline constexpr bool kCopyMayWait = !std::is_trivially_copyable_v<T>;

// While one lives, the calling thread stays on its rank, though a copy waits.
class StayHere {
 public:
  explicit StayHere(bool waits) noexcept;
  ~StayHere();
  StayHere(const StayHere&) = delete;
  StayHere& operator=(const StayHere&) = delete;

 private:
  Tcb* self_;
};

// While one lives, the caller and the thread in whose memory `object` lives stay on their rank, if
// what is done meanwhile `waits`. Errors: std::bad_alloc, and nothing is held.
class HoldHome {
 public:
  HoldHome(const void* object, bool waits);
  ~HoldHome();
  HoldHome(const HoldHome&) = delete;
  HoldHome& operator=(const HoldHome&) = delete;

 private:
  StayHere stay_;
  Tcb* tied_ = nullptr;
  std::uint64_t id_ = 0;
};

// The same, and allocations come from the memory in which `object` lives: what a Channel or a
// Future holds must stay with it when the giver migrates. The same errors.
class AllocateBeside {
 public:
  AllocateBeside(const void* object, bool waits);
  ~AllocateBeside();
  AllocateBeside(const AllocateBeside&) = delete;
  AllocateBeside& operator=(const AllocateBeside&) = delete;

 private:
  HoldHome hold_;
  void* saved_;
};

// `error` made anew in the memory of the calling context, if it is an Error or one of the standard
// exceptions that say what() and no more; else `error` itself, which stays where it was thrown.
std::exception_ptr rehome_exception(const std::exception_ptr& error);
// The same for a kernel thread outside, which nobody waits for: an Error that says so, of an
// exception that stays in memory of a thread.
std::exception_ptr exception_for_outside(const std::exception_ptr& error);
// Where the exception lies.
const void* object_of(const std::exception_ptr& error);

// Keeps two threads where they are: the one in whose memory an exception lies, and the one in whose
// memory something refers to it. It may end on another rank of the node than they are on.
class ExceptionTie {
 public:
  ExceptionTie() = default;
  ExceptionTie(const ExceptionTie&) = delete;
  ExceptionTie& operator=(const ExceptionTie&) = delete;
  ~ExceptionTie();
  // Between the owner of `exception` and that of `object`; nothing, if they are the same. Errors:
  // Error(wrong_rank) if the former is on another rank; std::bad_alloc. Then nothing is tied.
  void tie(const void* exception, const void* object);

 private:
  void untie();
  struct End {
    Tcb* thread = nullptr;
    std::uint64_t id = 0;
  };
  End ends_[2];
};

// Lets the calling thread go where it was asked to migrate, if it may: the end of a call that
// waits.
void migration_point();

// Says what it is told. Of questions answered no, each eighth lets others run.
bool asked(bool yes);

}  // namespace detail

}  // namespace roam

#endif  // ROAM_WAIT_QUEUE_H_
