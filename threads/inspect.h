#ifndef ROAM_THREADS_INSPECT_H_
#define ROAM_THREADS_INSPECT_H_

#include <cstdint>

namespace roam::threads {

// One fact about where this rank keeps what it knows of threads.
struct InspectFact {
  char name[24];
  std::uint64_t value;
};

// Writes the table that a debugger, or a program that looks from outside, reads to find the threads
// of this rank: addresses, sizes and offsets by name, so that it needs no debug information. It is
// found by the symbol `roam_inspect`, ends with an empty name, and is all zeros before the rank has
// started. tools/gdb/roam.py reads it.
//
// Context: once the arena and the scheduler are there; again when they start again.
void publish_inspect_facts(int rank, int ranks);
// It has no threads, as before the start: a process that fork made.
void retract_inspect_facts();

}  // namespace roam::threads

#endif  // ROAM_THREADS_INSPECT_H_
