#ifndef ROAM_THREADS_TCB_H_
#define ROAM_THREADS_TCB_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>

#include "base/range.h"
#include "isomalloc/arena.h"
#include "isomalloc/heap.h"
#include "roam/sync.h"

namespace roam::threads {
class Guest;
class Role;
}  // namespace roam::threads

namespace roam::detail {

// Where a thread is in its life.
//
//             spawn                 switch to                 returns
//   (kFree) --------> kReady, queued <------------> kReady, running ----> kEnded --> (kFree)
//                      ^  |            yield         |   |          once nothing of it is live
//                 wake |  | depart        wait/sleep |   | this_thread::migrate
//                      |  v                          v   v
//                      | kDeparting <----- kSleeping, (kBlocked: once woken)
//                      +-------------------- kBlocked
enum class State : std::uint8_t {
  kFree = 0,   // no thread: the slot rests, to be used again
  kReady,      // in the ready queue, or running
  kBlocked,    // in a WaitQueue, or waiting for an answer from another rank
  kSleeping,   // in the timer queue only
  kDeparting,  // given to the migrator
  kEnded,      // its function has returned; an exception or memory of it may live on
};
const char* to_string(State state);

// What libstdc++ keeps a kernel thread: exceptions being handled, and the number in flight.
// Source: Itanium C++ ABI, 2.2.2.
struct ExceptionGlobals {
  void* caught;
  unsigned uncaught;
};

// A thread's control block. It lies in the last page of the thread's slot, right above the stack,
// with the heap's head room behind it; so a thread that was only suspended has touched one page:
//
//   slot                                             head page
//   | guard | never touched ...             | stack <- | Tcb | head room |
//
// The offset of the Tcb in its page differs between slots, so that hot lines of many threads fall
// into different cache sets. Everything here travels with the thread.
struct alignas(64) Tcb {
  // First line: what a switch touches.
  void* context;           // threads::Context, while not running
  iso::Heap* active_heap;  // what current_heap was when it was suspended
  ExceptionGlobals exceptions;
  int saved_errno;
  std::atomic<std::int32_t> rank;  // who runs it; ranks of the node read it
  std::uint64_t ring_position;     // in the ready queue
  State state;
  bool has_joiners;      // its rank's join table has an entry for it
  bool woken;            // a timed wait ended by a wake, not by its deadline
  bool in_wait;          // it needs the object that it waits on again once woken
  bool returns;          // it came back to a node that had kept its memory
  bool passed_over;      // it was woken to take a Mutex, and another took it first
  bool is_root;          // run()'s own: its exception ends the job
  bool brief;            // its last stay on a rank was short
  bool loose;            // blocked, and may be moved while it is: it looks again where it arrives
  bool cold;             // its context is not on its stack: the stack did not travel
  bool destined;         // it runs next where it goes: asked to move, it does so afterwards
  bool begins_anywhere;  // if it cannot get to where it is to start, it starts where it is
  std::uint8_t keeps;    // of its kernel thread's state, for itself (kernel_state.h)
  std::int32_t move_to;  // rank it was asked to migrate to; -1: none

  // Second line.
  Tcb* next;  // in a WaitQueue, or in a rank's inbox
  Tcb* previous;
  std::atomic<std::uint64_t> id;  // 0: no thread
  std::int32_t pins;              // Pins, and a static being initialised
  std::int32_t static_inits;      // nesting of the latter
  std::int32_t system_heaps;      // SystemHeaps that live in it
  std::int32_t open_objects;      // FILE*, DIR*, locale_t
  std::int32_t locks;             // Mutexes held
  std::int32_t tied;              // threads that wait on objects in this thread's memory, or have
                                  // been woken and did not run since; and other ties (ties.h)
  std::int64_t deadline_ns;       // of a sleep or timed wait; 0: none
  const char* waits_for;          // kind of object, e.g. "Mutex", while blocked
  const void* waits_at;
  Tcb* tied_to;             // whose `tied` counts this thread
  WaitQueue* queue;         // that it waits in
  std::uint64_t run_ticks;  // that it has run, in ticks of the time-stamp counter (scheduler.h)

  // Rarely touched.
  void (*entry)(void*);  // its function; null once that runs
  void* closure;
  void (*destroy)(void*);        // the closure's, if its function cannot run
  std::exception_ptr exception;  // what escaped from the thread's function
  Tcb* joiner;                   // the first that waits for its end, on the same rank
  void* answer;  // where a blocked thread wants the answer of a call to another rank
  // Ended threads, joined by this one, whose head blocks still live (companions.h): a list, and the
  // last of a ring.
  Tcb* recent_companions;
  Tcb* old_companions;
  Tcb* next_companion;
  Tcb* holder;  // of a companion: who joined it
  std::uint32_t recent_companion_count;
  std::uint32_t tied_id;  // the lower half of the id of `tied_to`, which may end meanwhile
  Range slot;
  std::uint64_t signal_mask;    // the kernel's, if it keeps its own
  unsigned char x87_state[28];  // as fnstenv writes it, if it keeps its own and does not run
  threads::Guest* guest;        // that it keeps (kernel_state.h)
  std::uint64_t arrived_ticks;  // of the time-stamp counter, on this rank
  std::uint64_t hops;           // departures so far: tells old news from new
  threads::Role* role;          // that a layer above gave it; null: none
  std::uint32_t told[4];        // of what ROAM_CHECK has told of it last, wherever that was
  const char* long_name;        // in the thread's heap, if it does not fit
  char short_name[32];
  iso::Heap heap;

  Range stack() const {
    return Range{slot.begin + kGuardBytes,
                 reinterpret_cast<Address>(this) - slot.begin - kGuardBytes};
  }
  const char* name() const { return long_name != nullptr ? long_name : short_name; }

  // Larger than a frame that would jump over it usually is. Costs address space only.
  static constexpr std::size_t kGuardBytes = 16 << 10;
};

inline constexpr std::size_t kLeastHeadRoom = 512;
inline constexpr std::size_t kLeastStackInHeadPage = 1024;
inline constexpr std::size_t kColourStep = 64;
inline constexpr std::size_t kColours =
    (kPageBytes - kLeastHeadRoom - kLeastStackInHeadPage - sizeof(Tcb)) / kColourStep;
static_assert(kColours >= 16);

// The control block of the slot whose last unit begins at `head_unit`.
inline Tcb* tcb_of_head_unit(Address head_unit) {
  const std::size_t colour = (head_unit / iso::kUnitBytes * 7) % kColours;
  return reinterpret_cast<Tcb*>(head_unit + iso::kUnitBytes - kPageBytes + kLeastStackInHeadPage +
                                colour * kColourStep);
}
inline Tcb* tcb_of_slot(Range slot) { return tcb_of_head_unit(slot.end() - iso::kUnitBytes); }
inline Range head_room_of(Tcb* t) {
  const Address begin = reinterpret_cast<Address>(t) + sizeof(Tcb);
  return Range{begin, t->slot.end() - begin};
}
// The thread whose heap `heap` is.
Tcb* tcb_of_heap(iso::Heap* heap);
// The thread whose stack, control block or heap holds `address`, if its memory is on this node;
// else null. Of what an ended thread left: who joined that one.
Tcb* owner_of(const void* address);

}  // namespace roam::detail

#endif  // ROAM_THREADS_TCB_H_
