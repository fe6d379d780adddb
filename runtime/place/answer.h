#ifndef ROAM_RUNTIME_PLACE_ANSWER_H_
#define ROAM_RUNTIME_PLACE_ANSWER_H_

#include <cstdint>
#include <exception>

#include "roam/error.h"
#include "runtime/net/message.h"

namespace roam::runtime {

// What a blocked thread gets from another rank, or from the end of a thread that it joins. It lies
// on that thread's stack; Tcb::answer points to it.
struct Answer {
  explicit Answer(std::uint64_t asked_about) : about(asked_about) { why[0] = '\0'; }
  std::uint64_t about;  // id of the thread that is joined, or asked to move
  Target joins{};       // the thread whose end is waited for; empty: another call
  bool done = false;
  bool checkpoint = false;       // what is waited for is a checkpoint ...
  bool resumed = false;          // ... from which the job was started again
  Errc code{};                   // 0: as asked
  char why[500];                 // of a code
  std::exception_ptr exception;  // what escaped from the joined thread
};

// The answer that `asker` waits for. It stays where it asked until it has it, so it is here.
Answer* awaited_answer(Target asker);
// Gives `asker` its answer, and lets it go on.
void give_answer(Target asker, Errc code, const char* why);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_PLACE_ANSWER_H_
