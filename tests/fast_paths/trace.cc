// Runs the fast paths of allocation and of the switch one instruction at a time, and prints which
// instructions they executed:
//
//   base ADDRESS            where the program begins in memory
//   path NAME TIMES         the addresses that follow were executed in so many calls of NAME
//   ADDRESS ...
//
// fast_paths.py tells from the object code what they are.
#include <link.h>
#include <signal.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "roam/roam.h"
#include "threads/scheduler.h"
#include "threads/slots.h"

// <new> has it only where the compiler calls it by itself, as Clang 14 does not.
void operator delete(void* p, std::size_t bytes) noexcept;

namespace {

constexpr std::size_t kMostSteps = 4096;
std::uintptr_t steps[kMostSteps];
std::size_t stepped = 0;

void note_step(int, siginfo_t*, void* context) {
  const auto* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  if (stepped < kMostSteps) steps[stepped++] = static_cast<std::uintptr_t>(registers[REG_RIP]);
}

// The processor traps after each instruction while the trap flag is set. Functions whose names
// begin with traced_ are not counted.
#define TRACE_ON() asm volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc")
#define TRACE_OFF() asm volatile("pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc")

void print(const char* name, int times) {
  std::printf("path %s %d\n", name, times);
  for (std::size_t i = 0; i < stepped; ++i) std::printf("%lx\n", steps[i]);
  stepped = 0;
}

[[gnu::noinline]] void* traced_malloc(std::size_t bytes) {
  TRACE_ON();
  void* p = std::malloc(bytes);
  TRACE_OFF();
  return p;
}
[[gnu::noinline]] void traced_free(void* p) {
  TRACE_ON();
  std::free(p);
  TRACE_OFF();
}
[[gnu::noinline]] void* traced_new(std::size_t bytes) {
  TRACE_ON();
  void* p = ::operator new(bytes);
  TRACE_OFF();
  return p;
}
[[gnu::noinline]] void traced_delete(void* p, std::size_t bytes) {
  TRACE_ON();
  ::operator delete(p, bytes);
  TRACE_OFF();
}
// One place of the code, at which threads yield that are traced and others.
[[gnu::noinline]] void traced_place() {
  roam::this_thread::yield();
  asm volatile("");  // not the last call, which would be a jump
}
[[gnu::noinline]] void traced_yield() {
  TRACE_ON();
  traced_place();
  TRACE_OFF();
}
[[gnu::noinline]] void traced_guard(roam::Range slot) {
  TRACE_ON();
  roam::threads::Slots::guard(slot);
  TRACE_OFF();
}
[[gnu::noinline]] void traced_yields(const bool& stop) {
  while (!stop) traced_place();
}
[[gnu::noinline]] void traced_yields_elsewhere(const bool& stop) {
  while (!stop) roam::this_thread::yield();
}

// There and back: another thread yields too, at the same place or `elsewhere`. A visit of the
// rank's own stack may come in between, so the shortest of some is taken.
void trace_yield(const char* name, bool elsewhere) {
  bool stop = false;
  const roam::Thread other = roam::spawn([&stop, elsewhere] {
    if (elsewhere) {
      traced_yields_elsewhere(stop);
    } else {
      traced_yields(stop);
    }
  });
  for (int i = 0; i < 10; ++i) traced_place();
  std::size_t best = kMostSteps;
  static std::uintptr_t shortest[kMostSteps];
  for (int i = 0; i < 50; ++i) {
    // Tracing is slow, and after slow switches the scheduler looks at the clock at each one: some
    // fast ones in between.
    for (int j = 0; j < 1000; ++j) traced_place();
    stepped = 0;
    traced_yield();
    if (stepped < best) {
      best = stepped;
      std::copy(steps, steps + stepped, shortest);
    }
  }
  stepped = best;
  std::copy(shortest, shortest + best, steps);
  print(name, 2);
  stop = true;
  other.join();
}

// The same size over and over: what is measured is the second time.
void trace_blocks(const char* malloc_name, const char* free_name, std::size_t bytes) {
  void* some[8];
  for (void*& q : some) q = std::malloc(bytes);
  void* keeps_span = std::malloc(bytes);
  for (void* q : some) std::free(q);
  for (int i = 0; i < 3; ++i) std::free(std::malloc(bytes));
  void* p = traced_malloc(bytes);
  print(malloc_name, 1);
  traced_free(p);
  print(free_name, 1);
  std::free(keeps_span);
}

// What each arrival on another rank of the node costs for the stack's guard, which is there
// already: of threads whose stacks lie everywhere among the words that say so, the longest.
void trace_guards() {
  constexpr int kThreads = 128;
  static std::uintptr_t longest[kMostSteps];
  std::size_t most = 0;
  std::vector<roam::Thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.push_back(roam::spawn([&most] {
      stepped = 0;
      traced_guard(roam::threads::scheduler().current()->slot);
      if (stepped > most) {
        most = stepped;
        std::copy(steps, steps + stepped, longest);
      }
    }));
  }
  for (const roam::Thread& thread : threads) thread.join();
  stepped = most;
  std::copy(longest, longest + most, steps);
  print("guard", 1);
}

void trace_all() {
  void* head[200];
  for (void*& p : head) p = std::malloc(16);  // until the head room is used up
  trace_blocks("malloc_16", "free_16", 16);
  trace_blocks("malloc_1000", "free_1000", 1000);
  trace_blocks("malloc_4096", "free_4096", 4096);
  void* keeps_span = ::operator new(48);
  for (int i = 0; i < 3; ++i) ::operator delete(::operator new(48));
  void* p = traced_new(48);
  print("new_48", 1);
  traced_delete(p, 48);
  print("delete_48", 1);
  ::operator delete(keeps_span);

  trace_yield("yield", false);
  trace_yield("yield_elsewhere", true);
  trace_guards();
  for (void* q : head) std::free(q);

  roam::SystemHeap system;
  trace_blocks("plain_malloc_16", "plain_free_16", 16);
}

}  // namespace

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    struct sigaction action {};
    action.sa_sigaction = note_step;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGTRAP, &action, nullptr);
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void*) {
          std::printf("base %lx\n", static_cast<unsigned long>(info->dlpi_addr));
          return 1;  // the first is the program
        },
        nullptr);
    trace_all();
  });
}
