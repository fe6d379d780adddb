// A rank that crashes while its threads hold memory: what a core of it should show.
//   crash HOW MIB     HOW: see below; MIB: of memory that threads hold, on the last rank
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "roam/roam.h"

// For the debugger, which finds them by name.
extern "C" {
int* crash_first_of_held = nullptr;  // in the heap of the holder
int crash_number = 4711;             // of the process
}

namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

[[gnu::noinline]] int overflow(int depth) {
  volatile char frame[1000];
  frame[0] = static_cast<char>(depth);
  if (depth == 1'000'000'000) return 0;
  return overflow(depth + 1) + frame[0];
}

struct Way {
  const char* name;
  void (*crash)();
};
const Way kWays[] = {
    {"write", [] { *reinterpret_cast<volatile int*>(0x1234) = 1; }},
    {"divide", [] { asm volatile("idivl %0" ::"m"(*std::make_unique<int>(0)), "a"(1), "d"(0)); }},
    {"illegal", [] { asm volatile("ud2"); }},
    {"trap", [] { asm volatile("int3"); }},
    {"abort", [] { std::abort(); }},
    {"quit", [] { std::raise(SIGQUIT); }},
    {"terminate", []() noexcept { throw 1; }},
    {"overflow", [] { overflow(0); }},
    {"free",
     [] {
       void* block = std::malloc(100);
       asm volatile("" : "+r"(block) : : "memory");
       std::free(block);
       asm volatile("" : "+r"(block) : : "memory");
       std::free(block);
     }},
};

}  // namespace

// Nothing inline: the test looks for these names in stacks.
extern "C" {
[[gnu::noinline]] void crash_hold(roam::Mutex& mutex, std::size_t mib) {
  std::vector<std::vector<int>> held(mib);
  int next = crash_number - 3711;
  for (auto& piece : held) {
    piece.resize(kPieceBytes / sizeof(int));
    for (int& value : piece) value = next++;
  }
  crash_first_of_held = held[0].data();
  mutex.lock();
  mutex.unlock();
  asm volatile("" ::"m"(held));
}

[[gnu::noinline]] void crash_now(const Way& way) {
  way.crash();
  asm volatile("");
}
}

int main(int argc, char** argv) {
  return roam::run(argc, argv, [argc, argv] {
    const std::string how = argc > 1 ? argv[1] : "write";
    const std::size_t mib = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 8;
    const Way* way = std::find_if(std::begin(kWays), std::end(kWays),
                                  [&](const Way& each) { return each.name == how; });
    if (way == std::end(kWays)) roam::this_thread::migrate(-1);  // no such way: ends with an error
    roam::this_thread::migrate(roam::ranks() - 1);
    roam::Mutex mutex;
    mutex.lock();
    roam::Thread holder = roam::spawn({.name = "holder"}, [&] { crash_hold(mutex, mib); });
    roam::this_thread::yield();
    roam::this_thread::yield();
    crash_now(*way);
    mutex.unlock();
    holder.join();
  });
}
