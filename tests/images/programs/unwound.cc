// pthread_exit in main: destructors of what it leaves, of thread_local objects and of globals.
#include <cxxabi.h>
#include <pthread.h>
#include <sys/types.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "turns.h"

namespace {

void say(const std::string& what) {
  std::printf("%s\n", (std::to_string(my_number()) + ": " + what).c_str());
}
struct Told {
  explicit Told(const char* n) : name(n) {}
  ~Told() {
    take_turn();
    say(name + " gone");
    if (name == "global" && my_number() == 3) std::exit(7);
  }
  std::string name;
};
Told early("early");
Told global("global");
thread_local Told of_thread("of thread");

void deep(int level) {
  Told here(level % 2 == 0 ? "even" : "odd");
  try {
    if (level == 0) pthread_exit(nullptr);
    deep(level - 1);
  } catch (const abi::__forced_unwind&) {
    say("seen at " + std::to_string(level));
    take_turn();
    throw;
  }
}

}  // namespace

int main() {
  Told in_main("in main");
  of_thread.name += "!";
  take_turn();
  if (my_number() == 5) {
    std::atexit([] { say("at exit"); });
    std::exit(6);
  }
  deep(my_number());
  return 1;
}
