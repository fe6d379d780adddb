#ifndef ROAM_RUNTIME_CHECK_POINTER_CHECK_H_
#define ROAM_RUNTIME_CHECK_POINTER_CHECK_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/check/process_map.h"
#include "threads/tcb.h"

namespace roam::runtime {

using detail::Tcb;

// ROAM_CHECK=pointers: whenever a thread leaves this rank, or ends, looks
//
//   out of it:   for values in its stack and heap that point into memory of the process;
//   into it:     for values in libraries and glibc's heap that point into its memory.
//
// Each is reported once by a rank, and a word that a thread takes along once of the thread. Whether
// a word is a pointer is not known: docs/decisions/0019 has the rules that keep what only looks
// like one, or is left over from earlier calls, from being reported. Context: the rank's kernel
// thread, capture off.
class PointerCheck {
 public:
  // Before MPI starts: what the runtime and MPI allocate for themselves is told from the rest.
  static void begin_noting();
  // Between runs all that is allocated is the program's.
  static void set_running(bool running);

  // Clears what the calling thread's stack holds below the caller's frame, which nobody looks at
  // any more but is in frames to come: what a static's initialiser, or code inside a SystemHeap,
  // had.
  static void clear_left_frames();

  // `t` is suspended, in no queue, and all of its memory is here.
  void leaves(Tcb* t, int to);
  // `t`'s function has returned.
  void ends(Tcb* t);

  struct Counts {
    std::uint64_t departures = 0;
    std::uint64_t ends = 0;
    std::uint64_t out = 0;  // pointers found, each once
    std::uint64_t in = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Held {  // memory of the thread: its frames, or a block of its heap
    Range range;
    bool stack;
  };
  static std::string describe(const Held& held, Address address);
  void list_memory(Tcb* t, Range frames);
  void sort_memory();
  void look_out(Tcb* t, int to);
  void look_into(const Tcb* t, const std::string& when);
  void look_at_words(Range range, const Held& held, Tcb* t, int to);
  void tell(const std::string& line);

  ProcessMap map_;
  std::vector<Held> memory_;
  std::set<std::pair<Address, Address>> reported_;  // about where from (0: the thread), and to
  std::uint64_t lines_ = 0;
  Counts counts_;
};

// What ROAM_CHECK looks at in this rank's run; null without it.
inline PointerCheck* the_check = nullptr;

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECK_POINTER_CHECK_H_
