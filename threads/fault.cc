#include "threads/fault.h"

#include <algorithm>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "base/check.h"
#include "base/job_record.h"
#include "threads/crash.h"
#include "threads/program_handlers.h"
#include "threads/scheduler.h"

namespace roam::threads {
namespace {

struct sigaction previous_segv, previous_bus;

struct sigaction& previous(int signal) {
  return signal == SIGBUS ? previous_bus : previous_segv;
}

[[gnu::format(printf, 1, 2)]] void say(const char* format, ...) {
  char message[1300];
  va_list args;
  va_start(args, format);
  std::vsnprintf(message, sizeof message, format, args);
  va_end(args);
  report(message);
}

// First address of the slot that `a` is in, or in the fence of; 0 if there is none. The fence is
// not marked in the unit map.
Address slot_begin(Address a) {
  const iso::Arena& arena = iso::arena();
  const Address begin = arena.units().range_begin(a);
  if (begin != 0) return begin;
  const Address end =
      std::min(round_down(a, iso::kUnitBytes) + iso::kUnitBytes + arena.layout().fence_bytes(),
               arena.region(iso::Region::kSlots).end());
  for (Address unit = round_down(a, iso::kUnitBytes); unit < end; unit += iso::kUnitBytes) {
    const iso::UnitKind kind = arena.units().kind(unit);
    if (kind == iso::UnitKind::kSlot) return unit;
    if (kind != iso::UnitKind::kNone) return 0;
  }
  return 0;
}

void explain_slot(Address a, const void* p) {
  const Address begin = slot_begin(a);
  const Tcb* owner = begin != 0 ? detail::owner_of(reinterpret_cast<void*>(begin)) : nullptr;
  if (owner == nullptr) {
    say("access to %p: it would be a thread's stack, but no thread that is on this node has it. "
        "The thread has moved to another node, or has ended. A pointer into another thread's "
        "memory is valid while both are on one node.",
        p);
  } else if (a >= begin + Tcb::kGuardBytes) {
    say("access to %p in the stack of thread '%s' failed: out of memory?", p, owner->name());
  } else if (owner == scheduler().current()) {
    say("stack overflow in thread '%s' (id %llu): its stack has %zu KiB. Raise "
        "SpawnOptions::stack_bytes, or put large arrays on the heap. (Fault at %p.)",
        owner->name(), static_cast<unsigned long long>(owner->id.load()),
        owner->stack().bytes >> 10, p);
  } else {
    say("access to %p: that is the guard below the stack of thread '%s'", p, owner->name());
  }
}

void explain_heap(Address a, const void* p) {
  const iso::Arena& arena = iso::arena();
  const Address begin = arena.units().range_begin(a);
  switch (begin != 0 ? arena.units().kind(begin) : iso::UnitKind::kNone) {
    case iso::UnitKind::kFreedBlock:
      return say("access to %p: the isomalloc block at %p was freed", p,
                 reinterpret_cast<void*>(begin + kPageBytes));
    case iso::UnitKind::kNone:
      return say(
          "access to %p: no heap or block that is on this node holds that address. It was freed, "
          "or its thread has moved to another node. A pointer into another thread's memory is "
          "valid while both are on one node.",
          p);
    default:
      say("access to %p failed though it is allocated: out of memory?", p);
  }
}

void explain(int signal, Address a, const void* p) {
  const iso::Arena& arena = iso::arena();
  if (signal == SIGBUS) {
    say("access to %p in the arena: the machine has no memory left for it", p);
  } else if (arena.region(iso::Region::kSlots).contains(a)) {
    explain_slot(a, p);
  } else if (arena.region(iso::Region::kHeap).contains(a) ||
             arena.region(iso::Region::kBlocks).contains(a)) {
    explain_heap(a, p);
  } else {
    say("access to %p: that is the runtime's own memory", p);
  }
}

// Another rank of the node opened the lease since, or what it made is still guarded here: the
// access succeeds when it is tried again.
bool made_usable(Address a) {
  iso::HeapScope process;
  return iso::arena().admit_for_fault(a);
}

// Whether memory that lives at `a` faults for a reason that the program may have: it has taken
// access away. Guards are ours.
bool may_be_programs(Address a) {
  const iso::Arena& arena = iso::arena();
  const Address begin = arena.units().range_begin(a);
  switch (begin != 0 ? arena.units().kind(begin) : iso::UnitKind::kNone) {
    case iso::UnitKind::kSlot:
      return a >= begin + Tcb::kGuardBytes;
    case iso::UnitKind::kSpan:
    case iso::UnitKind::kBlock:
    case iso::UnitKind::kRemains:
      return true;
    default:
      return false;
  }
}

void handle(int signal, siginfo_t* info, void* context) {
  iso::Arena& arena = iso::arena();
  const Address a = reinterpret_cast<Address>(info->si_addr);
  const bool addressed = info->si_code > 0 && (signal == SIGBUS || info->si_code == SEGV_MAPERR ||
                                               info->si_code == SEGV_ACCERR);
  if (addressed && arena.ready() && arena.contains(info->si_addr)) {
    if (signal == SIGSEGV && made_usable(a)) return;
    if (signal == SIGSEGV && may_be_programs(a) && pass_on(signal, info, context)) return;
    {
      iso::HeapScope process;
      explain(signal, a, info->si_addr);
    }
    call_program_handler(signal, info, context);  // it may jump away
    iso::current_heap = nullptr;
    job_record::crashes(*info, context);
    // Where no core is wanted, the launcher is told of the end, which is kinder to the others.
    if (!die_with_core(signal, *info)) end_failed_job();
    return;
  }
  if (pass_on(signal, info, context)) return;
  report_signal(signal, *info);
  stop_sharing(signal);  // UCX's sets the default before it returns
  struct sigaction& next = previous(signal);
  if ((next.sa_flags & SA_SIGINFO) != 0 && next.sa_sigaction != nullptr) {
    next.sa_sigaction(signal, info, context);
    return;
  }
  if (next.sa_handler != SIG_DFL && next.sa_handler != SIG_IGN) {
    next.sa_handler(signal);
    return;
  }
  job_record::crashes(*info, context);
  die(signal, *info);
}

}  // namespace

void describe_current(char* buffer, unsigned long bytes) {
  const Tcb* current = scheduler().current();
  if (current == nullptr) {
    buffer[0] = '\0';
  } else {
    std::snprintf(buffer, bytes, "thread '%s'", current->name());
  }
}

void install_fault_handler() {
  static bool installed = false;
  if (installed) return;
  installed = true;
  make_signal_stack();
  share_handler(SIGSEGV, handle, &previous_segv);
  share_handler(SIGBUS, handle, &previous_bus);
  forget_handler_of_mpi(previous_segv);
  forget_handler_of_mpi(previous_bus);
}

}  // namespace roam::threads
