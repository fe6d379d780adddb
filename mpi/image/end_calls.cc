// Other ends of a program than exit: pthread_exit in main, and exit called by libc or by a library
// of the process, which would end that.

#include <pthread.h>
#include <threads.h>
#include <unwind.h>

#include <cerrno>
#include <csetjmp>
#include <cstdlib>

#include "base/check.h"
#include "isomalloc/heap.h"
#include "mpi/image/entry.h"
#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"
#include "threads/scheduler.h"
#include "threads/tcb.h"

namespace roam::mpi {
namespace {

// ---- exit inside the process's libraries ----

bool watching = false;

// A handler that libc calls first of all: it is left with a jump, so that no other is called, and
// libc's list is as it was but for this one.
void end_program_instead(int status, void*) {
  watching = false;
  if (!threads::on_rank_thread) return;
  const detail::Tcb* self = threads::scheduler().current();
  Image* image = Image::running();
  if (self == nullptr || image == nullptr ||
      self->guest != static_cast<const threads::Guest*>(image) ||
      !self->stack().contains(__builtin_frame_address(0)))
    return;
  watch_exits_of_process();
  iso::current_heap = const_cast<iso::Heap*>(&self->heap);  // the call had it off
  exit_program(status);
}

// ---- pthread_exit ----

// Clean-up handlers of C, as pthread_cleanup_push links them.
void begin_clean_up(__pthread_unwind_buf_t* buffer) {
  void*& innermost = Image::running()->exits().clean_up;
  buffer->__pad[0] = innermost;
  innermost = buffer;
}
void end_clean_up(__pthread_unwind_buf_t* buffer) {
  Image::running()->exits().clean_up = buffer->__pad[0];
}

[[noreturn]] void end_last_thread() {
  Image* image = Image::running();
  image->keys().run_destructors();
  exit_program(0);
}

// Frame by frame: what C has asked for is called with a jump there and goes on with
// __pthread_unwind_next; destructors of C++ are called by the unwinder.
_Unwind_Reason_Code look_at_frame(int, _Unwind_Action actions, _Unwind_Exception_Class,
                                  _Unwind_Exception*, _Unwind_Context* context, void*) {
  void* const innermost = Image::running()->exits().clean_up;
  const bool at_end = (actions & _UA_END_OF_STACK) != 0;
  if (innermost != nullptr &&
      (at_end || reinterpret_cast<Address>(innermost) < _Unwind_GetCFA(context)))
    siglongjmp(reinterpret_cast<__jmp_buf_tag*>(innermost), 1);
  if (at_end) end_last_thread();
  return _URC_NO_REASON;
}
[[noreturn]] void unwind() {
  auto* under_way = static_cast<_Unwind_Exception*>(std::calloc(1, sizeof(_Unwind_Exception)));
  ROAM_CHECK(under_way != nullptr, "pthread_exit: there is no memory");
  under_way->exception_cleanup = [](_Unwind_Reason_Code, _Unwind_Exception*) {
    fatal("pthread_exit in a virtual rank was caught and not thrown on");
  };
  _Unwind_ForcedUnwind(under_way, look_at_frame, nullptr);
  end_last_thread();  // frames that have no tables
}
void end_thread(void*) { unwind(); }
void end_c11_thread(int) { unwind(); }
void unwind_on(__pthread_unwind_buf_t* buffer) {
  Image::running()->exits().clean_up = buffer->__pad[0];
  unwind();
}

int refuse_cancel(pthread_t) {
  {
    const iso::HeapScope process;
    report(
        "pthread_cancel in a virtual rank is refused: its only thread is one of the process. "
        "Use pthread_exit or exit");
  }
  return ENOSYS;
}

// There is no fork that would call them.
int at_fork(void (*)(), void (*)(), void (*)(), void*) { return 0; }

int on_exit_of_rank(void (*function)(int, void*), void* argument) {
  Image::running()->exits().add_with_status(function, argument);
  return 0;
}

}  // namespace

void watch_exits_of_process() {
  if (watching) return;
  const iso::HeapScope process;
  watching = ::on_exit(end_program_instead, nullptr) == 0;
}

void add_end_calls() {
  add_launcher_call("on_exit", &on_exit_of_rank);
  add_launcher_call("pthread_exit", &end_thread);
  add_launcher_call("thrd_exit", &end_c11_thread);
  add_launcher_call("__pthread_register_cancel", &begin_clean_up);
  add_launcher_call("__pthread_unregister_cancel", &end_clean_up);
  add_launcher_call("__pthread_register_cancel_defer", &begin_clean_up);
  add_launcher_call("__pthread_unregister_cancel_restore", &end_clean_up);
  add_launcher_call("__pthread_unwind_next", &unwind_on);
  add_launcher_call("pthread_cancel", &refuse_cancel);
  add_launcher_call("pthread_atfork", &at_fork);
  add_launcher_call("__register_atfork", &at_fork);
}

}  // namespace roam::mpi
