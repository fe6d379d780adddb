// The program's own handlers of SIGSEGV and SIGBUS, beside the runtime's: write barriers, recovery
// by a jump, signal stacks, in threads that move.
#include <execinfo.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

constexpr std::size_t kPage = 4096;

// What the handlers have seen, on this rank.
int calls = 0;
void* fault_address = nullptr;
void* handler_frame = nullptr;

void first_handler(int) { std::_Exit(77); }
// Before main, and so before the runtime's own.
const bool set_before_main = std::signal(SIGSEGV, first_handler) != SIG_ERR;

// Gives access back to the page.
void barrier(int, siginfo_t* info, void*) {
  ++calls;
  fault_address = info->si_addr;
  handler_frame = __builtin_frame_address(0);
  const std::uintptr_t page = reinterpret_cast<std::uintptr_t>(info->si_addr) & ~(kPage - 1);
  if (mprotect(reinterpret_cast<void*>(page), kPage, PROT_READ | PROT_WRITE) != 0) std::_Exit(78);
}

sigjmp_buf recovery;
void jump_out(int, siginfo_t* info, void*) {
  ++calls;
  fault_address = info->si_addr;
  siglongjmp(recovery, 1);
}

// A handler while it lives, and what was there before afterwards.
class Handler {
 public:
  Handler(int signal, void (*handler)(int, siginfo_t*, void*), int flags = 0) : signal_(signal) {
    struct sigaction action {};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGUSR2);
    expect_eq(sigaction(signal, &action, &before_), 0, "sigaction");
    calls = 0;
  }
  ~Handler() { sigaction(signal_, &before_, nullptr); }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

 private:
  int signal_;
  struct sigaction before_;
};

template <class Body>
void on_each_rank(Body body) {
  for (int r = 0; r < roam::ranks(); ++r) on_rank(r, body);
}

bool near(const void* a, const void* b) {
  return std::llabs(static_cast<const char*>(a) - static_cast<const char*>(b)) < (64 << 10);
}

SCENARIO(OwnHandlers, AreAskedForAndGivenBack) {
  on_each_rank([] {
    expect(set_before_main, "signal() before main");
    struct sigaction seen {};
    expect_eq(sigaction(SIGSEGV, nullptr, &seen), 0, "sigaction");
    expect(seen.sa_handler == first_handler, "the handler that was set before main");
    expect(std::signal(SIGSEGV, SIG_DFL) == first_handler, "what signal() returns");
    expect(std::signal(SIGSEGV, first_handler) == SIG_DFL, "what signal() returns next");
    {
      const Handler handler(SIGBUS, barrier, SA_RESTART);
      expect_eq(sigaction(SIGBUS, nullptr, &seen), 0, "sigaction");
      expect(seen.sa_sigaction == barrier, "the handler of SIGBUS");
      expect_eq(seen.sa_flags & SA_RESTART, SA_RESTART, "its flags");
      expect_eq(sigismember(&seen.sa_mask, SIGUSR2), 1, "its mask");
    }
    expect_eq(sigaction(SIGBUS, nullptr, &seen), 0, "sigaction");
    expect(seen.sa_handler == SIG_DFL, "SIGBUS afterwards");
    expect_eq(sigaction(SIGSEGV, nullptr, nullptr), 0, "sigaction that asks for nothing");
  });
}

// Writes through every page of protected memory; the handler lets each write happen.
void write_through(char* memory, std::size_t pages) {
  expect_eq(mprotect(memory, pages * kPage, PROT_READ), 0, "mprotect");
  double sum = 0.5;
  for (std::size_t i = 0; i < pages; ++i) {
    sum += 0.25;
    memory[i * kPage + 17] = static_cast<char>(i + 1);
    expect_eq(static_cast<void*>(memory + i * kPage + 17), fault_address, "address of the fault");
  }
  expect_eq(sum, 0.5 + 0.25 * static_cast<double>(pages), "a sum over the faults");
  for (std::size_t i = 0; i < pages; ++i)
    expect_eq(memory[i * kPage + 17], static_cast<char>(i + 1), "what was written");
}

SCENARIO(OwnHandlers, AWriteBarrierWorksInTheHeapAndOnTheStackOfAThread) {
  on_each_rank([] {
    constexpr std::size_t kPages = 8;
    for (int hop = 0; hop < 3; ++hop) {
      char* const heap = static_cast<char*>(std::aligned_alloc(kPage, kPages * kPage));
      alignas(4096) char stack[3 * kPage];
      {
        const Handler handler(SIGSEGV, barrier);
        write_through(heap, kPages);
        expect_eq(calls, static_cast<int>(kPages), "faults in the heap");
        expect(near(handler_frame, __builtin_frame_address(0)),
               "the handler's frame is the thread's");
        write_through(stack, 3);
        expect_eq(calls, static_cast<int>(kPages) + 3, "faults on the stack");
        expect_eq(mprotect(heap, kPage, PROT_NONE), 0, "mprotect");
        expect_error(roam::Errc::pinned, {"mprotect", "4096"},
                     [] { roam::this_thread::migrate(next_rank()); });
        heap[5] = 5;  // the handler gives access back, and the thread may go
      }
      roam::this_thread::migrate(next_rank());
      expect_eq(heap[5], '\5', "the heap after the move");
      std::free(heap);
    }
  });
}

SCENARIO(OwnHandlers, AWriteBarrierWorksInTheProcessesMemoryAndInKernelThreads) {
  on_each_rank([] {
    constexpr std::size_t kPages = 5;
    void* const mapped =
        mmap(nullptr, kPages * kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char* const memory = static_cast<char*>(mapped);
    const Handler handler(SIGSEGV, barrier);
    write_through(memory, kPages);
    std::thread([memory] { write_through(memory, kPages); }).join();
    expect_eq(calls, 2 * static_cast<int>(kPages), "faults");
    munmap(mapped, kPages * kPage);
  });
}

SCENARIO(OwnHandlers, RunOnASignalStackThatIsAskedFor) {
  on_each_rank([] {
    std::vector<char> stack(300'000);
    stack_t mine{stack.data(), 0, stack.size()}, seen{};
    stack_t before{};
    expect_eq(sigaltstack(&mine, &before), 0, "sigaltstack");
    expect_eq(sigaltstack(nullptr, &seen), 0, "sigaltstack that asks");
    expect_eq(static_cast<void*>(seen.ss_sp), static_cast<void*>(stack.data()), "the stack");
    stack_t tiny{stack.data(), 0, 100};
    expect_eq(sigaltstack(&tiny, nullptr), -1, "a stack that is too small");
    char* const heap = static_cast<char*>(std::aligned_alloc(kPage, kPage));
    {
      const Handler handler(SIGSEGV, barrier, SA_ONSTACK);
      write_through(heap, 1);
      expect_eq(calls, 1, "faults");
      expect(!near(handler_frame, __builtin_frame_address(0)), "the handler's frame is elsewhere");
    }
    std::free(heap);
    const stack_t none{nullptr, SS_DISABLE, 0};
    expect_eq(sigaltstack(&none, nullptr), 0, "sigaltstack that disables");
    expect_eq(sigaltstack(nullptr, &seen), 0, "sigaltstack that asks");
    expect_eq(seen.ss_flags & SS_DISABLE, SS_DISABLE, "flags of no stack");
  });
}

[[gnu::noinline]] void fault_and_jump_out() {
  if (sigsetjmp(recovery, 1) == 0) {
    *reinterpret_cast<volatile char*>(0x1234) = 1;
    fail("a write to address 0x1234 went through");
  }
  expect_eq(fault_address, reinterpret_cast<void*>(0x1234), "address of the fault");
}

SCENARIO(OwnHandlers, MayJumpOutWhereverTheThreadIs) {
  roam::spawn([] {
    for (int hop = 0; hop < 2 * roam::ranks(); ++hop) {
      {
        const Handler handler(SIGSEGV, jump_out, hop % 2 == 0 ? 0 : SA_ONSTACK);
        for (int i = 0; i < 5; ++i) fault_and_jump_out();
        expect_eq(calls, 5, "faults");
      }
      const std::string text(1000, 'r');
      roam::this_thread::migrate(next_rank());
      expect_eq(text, std::string(1000, 'r'), "text after the move");
    }
  }).join();
}

[[gnu::noinline]] int dig(int depth) {
  volatile char frame[1000];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : dig(depth - 1) + frame[0];
}

SCENARIO(OwnHandlers, AStackOverflowIsExplainedAndMayBeJumpedOutOf) {
  on_each_rank([] {
    for (int i = 0; i < 3; ++i) {
      const Handler handler(SIGSEGV, jump_out, SA_ONSTACK);
      if (sigsetjmp(recovery, 1) == 0) fail("so deep: " + std::to_string(dig(1'000'000)));
      expect_eq(calls, 1, "faults");
      expect(dig(100) > -1'000'000, "the stack is there again");
      const std::vector<std::string> own(100, std::string(200, 'o'));
      expect(roam::in_thread_heap(own.data()), "what is allocated afterwards is the thread's");
    }
  });
}

// On the rank that reads it.
const volatile char* elsewhere = nullptr;

SCENARIO(OwnHandlers, AbsentMemoryIsExplainedAndMayBeJumpedOutOf, .ranks_needed = 2) {
  if (roam::node_of(stranger()) == roam::node()) return;
  const std::string text(100'000, 't');
  const char* const address = text.data() + 50'000;
  on_rank(stranger(), [address] {
    elsewhere = address;
    const Handler handler(SIGSEGV, jump_out);
    if (sigsetjmp(recovery, 1) == 0) fail(std::string("read ") + *elsewhere);
    expect_eq(fault_address, static_cast<void*>(const_cast<char*>(address)), "address");
  });
}

bool blocked(int signal) {
  sigset_t mask;
  sigemptyset(&mask);
  sigprocmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

bool segv_blocked = false, usr2_blocked = false, usr1_blocked = true, frame_known = false;
void* faulting_function = nullptr;

void look_around(int signal, siginfo_t* info, void* context) {
  segv_blocked = blocked(SIGSEGV);
  usr2_blocked = blocked(SIGUSR2);
  usr1_blocked = blocked(SIGUSR1);
  void* frames[30];
  const int depth = backtrace(frames, 30);
  for (int i = 0; i < depth; ++i) {
    const auto offset = static_cast<char*>(frames[i]) - static_cast<char*>(faulting_function);
    frame_known = frame_known || (offset >= 0 && offset < 300);
  }
  barrier(signal, info, context);
}

[[gnu::noinline]] void fault_here(char* at) {
  *static_cast<volatile char*>(at) = 1;
  asm volatile("" ::: "memory");
}

SCENARIO(OwnHandlers, SeeTheMaskAndTheFramesThatTheyWouldHave) {
  on_each_rank([] {
    char* const heap = static_cast<char*>(std::aligned_alloc(kPage, kPage));
    faulting_function = reinterpret_cast<void*>(fault_here);
    for (const int flags : {0, static_cast<int>(SA_ONSTACK)}) {
      frame_known = false;
      const Handler handler(SIGSEGV, look_around, flags);
      expect_eq(mprotect(heap, kPage, PROT_READ), 0, "mprotect");
      fault_here(heap);
      expect_eq(calls, 1, "faults");
      expect(segv_blocked && usr2_blocked && !usr1_blocked, "what is blocked in the handler");
      expect(!blocked(SIGSEGV) && !blocked(SIGUSR2), "nothing is blocked afterwards");
      expect(frame_known, "the function that faulted is among the handler's callers");
    }
    std::free(heap);
  });
}

void leave(int) { _exit(61); }

SCENARIO(OwnHandlers, EndTheProcessAsTheySay) {
  on_each_rank([] {
    const auto end_of = [](auto body) {
      const pid_t child = fork();
      if (child == 0) {
        const rlimit no_core{0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        body();
        _exit(60);
      }
      int status = 0;
      waitpid(child, &status, 0);
      return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    };
    const auto fault = [] { *reinterpret_cast<volatile char*>(0x1234) = 1; };
    expect_eq(end_of(fault), 77, "the handler that was set before main");
    expect_eq(end_of([&] {
                std::signal(SIGSEGV, leave);
                fault();
              }),
              61, "a handler that leaves");
    expect_eq(end_of([&] {
                std::signal(SIGSEGV, SIG_DFL);
                fault();
              }),
              -SIGSEGV, "the default action");
    expect_eq(end_of([&] {
                std::signal(SIGSEGV, SIG_IGN);
                fault();
              }),
              -SIGSEGV, "a fault that is ignored");
    expect_eq(end_of([&] {
                std::signal(SIGSEGV, SIG_IGN);
                raise(SIGSEGV);
              }),
              60, "a signal that is ignored");
    expect_eq(end_of([&] {
                std::signal(SIGSEGV, leave);
                raise(SIGSEGV);
              }),
              61, "a signal that is sent");
    // The second fault finds no handler any more.
    expect_eq(end_of([&] {
                struct sigaction once {};
                once.sa_handler = [](int) {};
                once.sa_flags = static_cast<int>(SA_RESETHAND);
                sigaction(SIGSEGV, &once, nullptr);
                fault();
              }),
              -SIGSEGV, "a handler for one time");
    // One that returns from what it cannot mend ends the process.
    expect_eq(end_of([&] {
                struct sigaction idle {};
                idle.sa_handler = [](int) {};
                idle.sa_flags = SA_ONSTACK;
                sigaction(SIGSEGV, &idle, nullptr);
                dig(1'000'000);
              }),
              1, "a stack overflow that a handler returns from");
  });
}

}  // namespace
}  // namespace roam_test
