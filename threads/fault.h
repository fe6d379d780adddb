#ifndef ROAM_THREADS_FAULT_H_
#define ROAM_THREADS_FAULT_H_

namespace roam::threads {

// From now on a fault inside the arena ends the job with a message that says what the address is: a
// stack that overflowed, a freed block, or memory that is on another node; a handler that the
// program has is called before the end. Other faults are that handler's; where there is none they
// get one line that names the thread, and go on to what was there before. Runs on a signal stack of
// its own. Where a core is wanted, it shows the place and the address (threads/crash.h).
void install_fault_handler();

// Writes "thread 'name'" of the running thread, or nothing, into `buffer`. For
// FatalHooks::describe.
void describe_current(char* buffer, unsigned long bytes);

}  // namespace roam::threads

#endif  // ROAM_THREADS_FAULT_H_
