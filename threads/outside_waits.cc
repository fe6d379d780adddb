#include "threads/outside_waits.h"

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <string_view>

namespace roam::threads::wait_calls {
namespace {

// ---- whose call it is ----

// The runtime, MPI and what that stands on, libc and what belongs to it.
bool of_system(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const char* start :
       {"libroam",  "libmpi",  "libucm",   "libucp",   "libucs",      "libuct",     "libfabric",
        "libpmi",   "libpsm",  "libhwloc", "libnuma",  "libibverb",   "librdmacm",  "libmlx",
        "libefa",   "libc.so", "libgomp",  "libgcc_s", "libresolv",   "libnss_",    "libanl",
        "librt.so", "libm.so", "ld-linux", "libdl.so", "libpthread.", "libgfortran"}) {
    if (name.starts_with(start)) return true;
  }
  return false;
}

bool of_program(const void* address) {
  dl_find_object found;
  if (_dl_find_object(const_cast<void*>(address), &found) != 0) return true;
  const char* path = found.dlfo_link_map->l_name;
  return path[0] == '\0' || !of_system(path);
}

// ---- handlers of signals ----

// What the kernel lays where a handler runs. Source: rt_sigframe of the kernel, x86-64.
struct SignalFrame {
  const void* restorer;  // where the handler returns to
  std::uint64_t flags;
  void* link;
  stack_t stack;
  mcontext_t registers;
};

struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  const void* restorer;
  std::uint64_t mask;
};

// libc's, the same for all handlers; null: there is none.
const void* find_restorer() {
  for (int signal = 1; signal < NSIG; ++signal) {
    KernelAction action{};
    if (syscall(SYS_rt_sigaction, signal, nullptr, &action, sizeof action.mask) == 0 &&
        action.handler != SIG_DFL && action.handler != SIG_IGN && action.restorer != nullptr)
      return action.restorer;
  }
  return nullptr;
}

struct Unwinding {
  const void* restorer;
  Address until;
  bool found = false;
  bool reached = false;
};

_Unwind_Reason_Code look_at(_Unwind_Context* frame, void* given) {
  auto& look = *static_cast<Unwinding*>(given);
  look.found = _Unwind_GetIP(frame) == reinterpret_cast<Address>(look.restorer);
  look.reached = _Unwind_GetCFA(frame) > look.until;
  return look.found || look.reached ? _URC_END_OF_STACK : _URC_NO_REASON;
}

}  // namespace

Tcb* asker(const void* return_address) {
  Tcb* self = caller();
  if (self == nullptr || roam::iso::current_heap == nullptr || !of_program(return_address))
    return nullptr;
  return self;
}

bool in_handler(const Tcb* self) {
  static constinit const void* restorer = nullptr;
  const int error = errno;
  if (restorer == nullptr) restorer = find_restorer();
  errno = error;
  if (restorer == nullptr) return false;
  const Address end = reinterpret_cast<Address>(self) - sizeof(SignalFrame);
  for (Address a = reinterpret_cast<Address>(__builtin_frame_address(0)); a < end; a += 8) {
    const auto* frame = reinterpret_cast<const SignalFrame*>(a);
    if (frame->restorer != restorer || frame->link != nullptr) continue;
    const auto interrupted = static_cast<Address>(frame->registers.gregs[REG_RSP]);
    if (interrupted <= a || !self->stack().contains(reinterpret_cast<void*>(interrupted))) continue;
    // It may be what is left of a handler that has returned.
    Unwinding look{restorer, a + sizeof(SignalFrame)};
    _Unwind_Backtrace(look_at, &look);
    if (look.found || !look.reached) return true;
  }
  return false;
}

void asked_in_vain(Tcb* self) {
  Stay stay(self);
  scheduler().yield();
}

std::int64_t to_ns(std::int64_t seconds, std::int64_t ns) {
  std::int64_t all;
  if (__builtin_mul_overflow(seconds, 1'000'000'000, &all) ||
      __builtin_add_overflow(all, ns, &all)) {
    return kForEver;
  }
  return all;
}

std::int64_t deadline_after(std::int64_t ns) {
  std::int64_t when;
  return __builtin_add_overflow(job_now_ns(), ns, &when) ? kForEver : when;
}

void OutsidePause::operator()(std::int64_t deadline_ns) {
  constexpr int kYields = 4;
  self_->waits_for = call_;
  self_->waits_at = nullptr;
  if (++rounds_ <= kYields) {
    scheduler().yield();
    return;
  }
  const std::int64_t now = job_now_ns();
  if (deadline_ns == kForEver && !told_ && now - start_ns_ > long_wait_ns) {
    told_ = true;
    roam::iso::HeapScope process;
    const std::string of = descriptor_ < 0 ? "" : roam::text(" of descriptor %d", descriptor_);
    roam::report(roam::text("thread '%s' has waited 10 s in %s%s, and still does", self_->name(),
                            call_, of.c_str())
                     .c_str());
  }
  const std::int64_t pause = std::clamp<std::int64_t>((now - start_ns_) / 8, 20'000, 1'000'000);
  scheduler().sleep_until(deadline_ns - now < pause ? deadline_ns : now + pause);
}

}  // namespace roam::threads::wait_calls
