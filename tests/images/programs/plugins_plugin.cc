// A plug-in; PART says which: 1 needs 2; 3 is for itself, has thread_local variables and throws; 4
// and 5 are of one name in two folders; 6 needs what nobody has.
#include "plugins_plugin.h"

#define PASTE(a, b) a##b
#define NAME(a, b) PASTE(a, b)

namespace {
int counter = PART * 100;
int* to_counter = &counter;
const char* const words[] = {"nought", "one", "two", "three"};
int twice(int x) { return 2 * x + counter; }
int (*table[])(int) = {twice};
[[gnu::constructor]] void begin() { SAY("part %d begins", PART); }
[[gnu::destructor]] void end() { SAY("part %d ends, counter %d", PART, counter); }
}  // namespace

extern "C" {
int NAME(next_of_, PART)() { return ++*to_counter; }
int part_number() { return PART; }
int shared_word = PART;
int use_table(int x) { return table[0](x); }
const char* word(int i) { return words[i]; }

#if PART == 1
int next_of_2();
int both() { return next_of_2() * 1000 + next_of_1(); }
void ask_for_end() {
  std::atexit([] { SAY("asked for by part 1"); });
}
#endif

#if PART == 3
thread_local int of_thread = 33;
thread_local char text_of_thread[100];
struct Ends {
  int n = 5;
  ~Ends() { SAY("thread_local of part 3 ends: %d", n); }
};
thread_local Ends ends;
int next_of_thread() {
  text_of_thread[of_thread % 100] = 'x';
  return ++of_thread;
}
int touch_ends() { return ++ends.n; }
void throw_it(int value) { throw Thrown{value, "from part 3"}; }
int catch_it(void (*thrower)(int)) {
  try {
    thrower(7);
  } catch (const Thrown& thrown) {
    return thrown.value;
  }
  return -1;
}
struct Square : Shape {
  int side = counter;
  int area() const override { return side * side; }
};
Shape* make_shape() { return new Square; }
#endif

#if PART == 4
// Found beside this one, by its own RUNPATH.
int open_other() {
  void* other = dlopen("libfive.so", RTLD_NOW);
  if (other == nullptr) return -1;
  return reinterpret_cast<int (*)()>(dlsym(other, "part_number"))();
}
#endif

#if PART == 6
int nobody_has_it();
int ask_nobody() { return nobody_has_it(); }
#endif

int count_common() { return ++Common<int>::count; }
int default_word() {
  const int* found = static_cast<int*>(dlsym(RTLD_DEFAULT, "shared_word"));
  return found == nullptr ? 0 : *found;
}
int next_word() {
  const int* found = static_cast<int*>(dlsym(RTLD_NEXT, "shared_word"));
  return found == nullptr ? 0 : *found;
}
const char* environment_of_plugin() { return std::getenv("OWN"); }
}
