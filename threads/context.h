#ifndef ROAM_THREADS_CONTEXT_H_
#define ROAM_THREADS_CONTEXT_H_

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>

// The context switch: Boost.Context's fcontext, seen nowhere else.
namespace roam::threads {

// A suspended context: where its registers lie, at the end of its stack.
using Context = boost::context::detail::fcontext_t;
// What a resumed context gets: the context that was left, and what that passed on.
using Transfer = boost::context::detail::transfer_t;

// As boost::context::detail::jump_fcontext, which ends with a jump where the processor expects a
// return: after it every return of the resumed thread is predicted wrongly, 5 ns each. Here the
// jump goes to a return, so that calls and returns stay paired. Measured 2026-11: yield 22 ns
// without, 8 with. See docs/decisions/0002-switch.md.
extern "C" Transfer roam_jump_context(Context to, void* data);

// A context that runs `entry` when it is first resumed, on the stack that ends at `top`.
inline Context make_context(void* top, std::size_t bytes, void (*entry)(Transfer)) {
  return boost::context::detail::make_fcontext(top, bytes, entry);
}

// A suspended context goes on with the caller's rounding mode and exception masks (MXCSR, x87
// control word), as a new one does. They are the first words that jump_fcontext saves.
inline void inherit_floating_point(Context context) {
  asm volatile("stmxcsr (%0)\n\tfnstcw 4(%0)" ::"r"(context) : "memory");
}

// Leaves the running context, stores it in `*left`, and resumes `to`. Returns when it is resumed
// itself. Whoever is resumed must call finish_switch first.
inline Transfer switch_context(Context to, Context* left) { return roam_jump_context(to, left); }

// Stores the context that was left, now that it is known.
inline void finish_switch(Transfer from) { *static_cast<Context*>(from.data) = from.fctx; }

}  // namespace roam::threads

#endif  // ROAM_THREADS_CONTEXT_H_
