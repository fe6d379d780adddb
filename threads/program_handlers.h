#ifndef ROAM_THREADS_PROGRAM_HANDLERS_H_
#define ROAM_THREADS_PROGRAM_HANDLERS_H_

#include <csignal>

// Handlers of SIGSEGV and SIGBUS that the program has beside ours. Ours stays the kernel's, since
// faults of the arena have to be answered; what the program sets, before or after, is kept here,
// and called for every fault that is not ours. It cannot tell the difference: it runs where it
// would have run, with the mask and the context that it would have had.
namespace roam::threads {

inline bool handler_is_shared(int signal) { return signal == SIGSEGV || signal == SIGBUS; }

// The kernel's, whatever the program calls by that name. As sigaction.
int kernel_sigaction(int signal, const struct sigaction* action, struct sigaction* old);
int kernel_sigaltstack(const stack_t* stack, stack_t* old);

// From now on `handler` is the kernel's for `signal`, on the signal stack. `previous`: what was
// there and was not the program's.
void share_handler(int signal, void (*handler)(int, siginfo_t*, void*), struct sigaction* previous);

// The end has come: whatever is set from now on is the kernel's, as without us.
void stop_sharing(int signal);

// What the program sets and asks for. As sigaction, sigaltstack.
int set_program_action(int signal, const struct sigaction* action, struct sigaction* old);
int set_program_stack(const stack_t* stack, stack_t* old);

// For our handler, which returns next: the program's is called, here or then. False: it has none.
bool pass_on(int signal, siginfo_t* info, void* context);
// Calls the program's, if it has one, on the stack that this runs on. Returns if that does.
void call_program_handler(int signal, siginfo_t* info, void* context);

// The rank's kernel thread has a stack for handlers from now on, so that a stack that is used up
// can be said to be.
void make_signal_stack();

}  // namespace roam::threads

#endif  // ROAM_THREADS_PROGRAM_HANDLERS_H_
