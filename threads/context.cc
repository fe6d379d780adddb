#include "threads/context.h"

#include <boost/context/detail/fcontext.hpp>

#include "base/sanitizers.h"

namespace roam::threads {
namespace {

using boost::context::detail::fcontext_t;
using boost::context::detail::transfer_t;

struct Making {
  void (*body)();
  Context context;
};

// Runs on the new stack: suspends at once, in the frame that switch_context knows, and goes back to
// who makes it. The first switch to it runs the body.
[[gnu::noinline]] ROAM_NOT_INSTRUMENTED __attribute__((no_stack_protector)) void park(
    Context* left, fcontext_t maker) {
  asm volatile(ROAM_LEAVE_CONTEXT
               "movq %[maker], %%rdi\n\t"
               "xorl %%esi, %%esi\n\t"
               "jmpq *jump_fcontext@GOTPCREL(%%rip)\n" ROAM_RESUMED_CONTEXT
               : [left] "+D"(left), [maker] "+S"(maker)
               :
               : "rdx", ROAM_SWITCH_CLOBBERS);
}

ROAM_NOT_INSTRUMENTED __attribute__((no_stack_protector)) void enter_new(transfer_t from) {
  Making* making = static_cast<Making*>(from.data);
  void (*body)() = making->body;
  park(&making->context, from.fctx);
  body();
}

}  // namespace

Context make_context(void* top, std::size_t bytes, void (*body)()) {
  Making making{body, nullptr};
  boost::context::detail::jump_fcontext(
      boost::context::detail::make_fcontext(top, bytes, enter_new), &making);
  return making.context;
}

}  // namespace roam::threads
