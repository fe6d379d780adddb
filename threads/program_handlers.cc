#include "threads/program_handlers.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "base/check.h"
#include "isomalloc/heap.h"
#include "threads/crash.h"
#include "threads/real_call.h"
#include "threads/scheduler.h"

namespace roam::threads {
namespace {

// AVX-512 state alone takes 3.5 KiB of a signal frame; ours formats text.
constexpr std::size_t kSignalStackBytes = 64 << 10;
alignas(16) char first_signal_stack[kSignalStackBytes];
Range signal_stack{};
stack_t program_stack{nullptr, SS_DISABLE, 0};

// Read in handlers, and set in handlers too: each set takes the next place, and nobody waits.
struct Shared {
  struct sigaction ring[16] = {};
  std::atomic<unsigned> taken = 0;
  std::atomic<unsigned> set = 0;  // the place that counts; 0: the default action
  bool ours = false;              // the kernel's is ours
  const struct sigaction& action() const {
    return ring[set.load(std::memory_order_acquire) % std::size(ring)];
  }
  void assign(const struct sigaction& action) {
    const unsigned place = taken.fetch_add(1, std::memory_order_relaxed) + 1;
    ring[place % std::size(ring)] = action;
    set.store(place, std::memory_order_release);
  }
};
// Constructors of the program set handlers.
constinit Shared segv, bus;

Shared& shared(int signal) { return signal == SIGBUS ? bus : segv; }

bool is_function(const struct sigaction& action) {
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

// Those are in all programs that load it, and none of them asked for one.
bool is_of_mpi(const struct sigaction& action) {
  iso::HeapScope process;
  return is_handler_of_mpi(action);
}

bool on_signal_stack(const void* p) { return signal_stack.contains(p); }

void call(const struct sigaction& action, int signal, siginfo_t* info, void* context) {
  if ((action.sa_flags & SA_SIGINFO) != 0) {
    action.sa_sigaction(signal, info, context);
  } else {
    action.sa_handler(signal);
  }
}

// Takes the action for one call.
struct sigaction take(int signal) {
  const struct sigaction action = shared(signal).action();
  if ((action.sa_flags & static_cast<int>(SA_RESETHAND)) != 0 && is_function(action))
    shared(signal).assign({});
  return action;
}

// What the kernel puts on the stack for a handler. rt_sigreturn takes all but the first word.
// Source: Linux, arch/x86/include/asm/sigframe.h and uapi/asm/sigcontext.h.
constexpr std::size_t kContextBytes = 304;  // of the kernel's ucontext; libc's goes on
struct alignas(16) Frame {
  void* restorer;  // where the handler returns to
  unsigned char context[kContextBytes];
  siginfo_t info;
};
static_assert(offsetof(ucontext_t, uc_sigmask) + sizeof(std::uint64_t) == kContextBytes);
constexpr std::size_t kRedZoneBytes = 128;
constexpr std::size_t kRoomForHandler = 12 << 10;

// Bytes of the processor's extended state at `state`.
std::size_t state_bytes(const void* state) {
  constexpr std::size_t kLegacyBytes = 512, kSoftwareAt = 464;
  constexpr std::uint32_t kMagic = 0x46505853;  // FP_XSTATE_MAGIC1
  std::uint32_t words[2];                       // magic, bytes
  std::memcpy(words, static_cast<const char*>(state) + kSoftwareAt, sizeof words);
  return words[0] == kMagic ? words[1] : kLegacyBytes;
}

// Has the kernel go on, once ours returns, as if it had called the program's handler itself, on the
// stack that was interrupted. False: there is no room.
bool deliver(const struct sigaction& action, int signal, const siginfo_t* info,
             ucontext_t* context) {
  greg_t* const registers = context->uc_mcontext.gregs;
  const Address stack = static_cast<Address>(registers[REG_RSP]);
  const void* const state = context->uc_mcontext.fpregs;
  const std::size_t bytes = state != nullptr ? state_bytes(state) : 0;
  const Address state_at = round_down(stack - kRedZoneBytes - bytes, 64);
  const Address at = round_down(state_at - sizeof(Frame), 16) - sizeof(void*);
  const Tcb* self = on_rank_thread ? scheduler().current() : nullptr;
  if (self != nullptr && self->stack().contains(reinterpret_cast<void*>(stack)) &&
      at < self->stack().begin + kRoomForHandler)
    return false;
  if (bytes != 0) std::memcpy(reinterpret_cast<void*>(state_at), state, bytes);
  Frame* const frame = reinterpret_cast<Frame*>(at);
  // Where our own handler returns to: debuggers and unwinders know that place.
  frame->restorer = reinterpret_cast<void**>(context)[-1];
  std::memcpy(frame->context, context, kContextBytes);
  std::memcpy(&frame->info, info, sizeof *info);
  auto* const copy = reinterpret_cast<ucontext_t*>(frame->context);
  if (bytes != 0) copy->uc_mcontext.fpregs = reinterpret_cast<fpregset_t>(state_at);

  registers[REG_RSP] = static_cast<greg_t>(at);
  registers[REG_RIP] = reinterpret_cast<greg_t>(action.sa_sigaction);
  registers[REG_RDI] = signal;
  registers[REG_RSI] = reinterpret_cast<greg_t>(&frame->info);
  registers[REG_RDX] = reinterpret_cast<greg_t>(copy);
  registers[REG_RAX] = 0;
  constexpr greg_t kDirection = 1 << 10, kTrap = 1 << 8, kResume = 1 << 16;
  registers[REG_EFL] &= ~(kDirection | kTrap | kResume);
  sigorset(&context->uc_sigmask, &context->uc_sigmask, &action.sa_mask);
  if ((action.sa_flags & SA_NODEFER) == 0) sigaddset(&context->uc_sigmask, signal);
  return true;
}

}  // namespace

int kernel_sigaction(int signal, const struct sigaction* action, struct sigaction* old) {
  // Only libc has it by this name: UCX has a sigaction that does nothing for these signals.
  constinit static Real<int(int, const struct sigaction*, struct sigaction*)> real("__sigaction",
                                                                                   nullptr);
  return real(signal, action, old);
}

int kernel_sigaltstack(const stack_t* stack, stack_t* old) {
  // ThreadSanitizer calls it before a guard of a static would work.
  constinit static Real<int(const stack_t*, stack_t*)> real("sigaltstack", nullptr);
  return real(stack, old);
}

void share_handler(int signal, void (*handler)(int, siginfo_t*, void*),
                   struct sigaction* previous) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  ROAM_CHECK(kernel_sigaction(signal, &action, previous) == 0, "sigaction(%d): %s", signal,
             std::strerror(errno));
  if (shared(signal).set.load(std::memory_order_relaxed) != 0) *previous = {};
  shared(signal).ours = true;
}

void stop_sharing(int signal) { shared(signal).ours = false; }

int set_program_action(int signal, const struct sigaction* action, struct sigaction* old) {
  Shared& to = shared(signal);
  if (!to.ours) {
    const int result = kernel_sigaction(signal, action, old);
    if (result == 0 && action != nullptr && !is_of_mpi(*action)) to.assign(*action);
    return result;
  }
  const struct sigaction before = to.action();
  if (action != nullptr) to.assign(*action);
  if (old != nullptr) *old = before;
  return 0;
}

int set_program_stack(const stack_t* stack, stack_t* old) {
  if (!on_rank_thread || signal_stack.bytes == 0) return kernel_sigaltstack(stack, old);
  const bool on_it = on_signal_stack(__builtin_frame_address(0));
  const stack_t before = program_stack;
  if (stack != nullptr) {
    const bool off = (stack->ss_flags & SS_DISABLE) != 0;
    if (on_it) {
      errno = EPERM;
      return -1;
    }
    if (!off && stack->ss_size < static_cast<std::size_t>(MINSIGSTKSZ)) {
      errno = ENOMEM;
      return -1;
    }
    if (!off && stack->ss_size > signal_stack.bytes) {
      iso::HeapScope process;
      const std::size_t bytes = round_up(stack->ss_size, kPageBytes);
      void* const larger =
          mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (larger == MAP_FAILED) return -1;
      const stack_t ours{larger, 0, bytes};
      if (kernel_sigaltstack(&ours, nullptr) != 0) return -1;
      signal_stack = Range{reinterpret_cast<Address>(larger), bytes};
    }
    program_stack = *stack;
    if (off) program_stack = {nullptr, SS_DISABLE, 0};
  }
  if (old != nullptr) {
    *old = before;
    if (on_it) old->ss_flags |= SS_ONSTACK;
  }
  return 0;
}

bool pass_on(int signal, siginfo_t* info, void* context) {
  const struct sigaction& seen = shared(signal).action();
  if (seen.sa_handler == SIG_IGN) return info->si_code <= 0;  // what a fault is, nobody ignores
  if (!is_function(seen)) return false;
  const bool here =
      (seen.sa_flags & SA_ONSTACK) != 0 || !on_signal_stack(__builtin_frame_address(0)) ||
      on_signal_stack(
          reinterpret_cast<void*>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP]));
  if (!here) {
    const struct sigaction action = seen;
    if (deliver(action, signal, info, static_cast<ucontext_t*>(context))) {
      take(signal);
      return true;
    }
  }
  call_program_handler(signal, info, context);
  return true;
}

void call_program_handler(int signal, siginfo_t* info, void* context) {
  const struct sigaction action = take(signal);
  if (!is_function(action)) return;
  const int error = errno;
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &action.sa_mask, &before);
  if ((action.sa_flags & SA_NODEFER) != 0) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  }
  call(action, signal, info, context);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
}

void make_signal_stack() {
  const stack_t ours{first_signal_stack, 0, sizeof first_signal_stack};
  ROAM_CHECK(kernel_sigaltstack(&ours, &program_stack) == 0, "sigaltstack: %s",
             std::strerror(errno));
  signal_stack = Range{reinterpret_cast<Address>(first_signal_stack), sizeof first_signal_stack};
}

}  // namespace roam::threads
