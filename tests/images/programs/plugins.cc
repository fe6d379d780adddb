// Libraries that a program opens while it runs are its own, as a process has them.
#include <execinfo.h>
#include <link.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <memory>

#include "plugins_plugin.h"

extern "C" int next_line() {
  static int line = 0;
  return ++line;
}
extern "C" int of_program() { return 17 + my_number(); }

// In the place of libc's, which is called too.
extern "C" int atoi(const char* text) {
  static int calls = 0;
  const auto real = reinterpret_cast<int (*)(const char*)>(dlsym(RTLD_NEXT, "atoi"));
  return ++calls > 0 && real != nullptr ? real(text) : -1;
}

// Who called whom, by name.
extern "C" [[gnu::noinline]] int trace_here(bool* named, bool* of_main) {
  void* frames[8];
  const int count = backtrace(frames, 8);
  char** texts = backtrace_symbols(frames, count);
  take_turn();
  *named = texts != nullptr && std::strstr(texts[0], "/program(trace_here+0x") != nullptr;
  *of_main = count > 1 && std::strstr(texts[1], "/program(main+0x") != nullptr;
  std::free(texts);
  return count > 2;
}

namespace {

template <class F>
F* function(void* library, const char* name) {
  return reinterpret_cast<F*>(dlsym(library, name));
}
int call(void* library, const char* name) { return function<int()>(library, name)(); }

const char* last_part(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

int modules_named(const char* name) {
  struct Asked {
    const char* name;
    int count, first_is_program;
  } asked{name, 0, -1};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* to) {
        auto* a = static_cast<Asked*>(to);
        if (a->first_is_program < 0) a->first_is_program = *info->dlpi_name == '\0';
        a->count += std::strstr(info->dlpi_name, a->name) != nullptr;
        return 0;
      },
      &asked);
  return asked.first_is_program == 1 ? asked.count : -1;
}

void take_turns(int count) {
  for (int i = 0; i < count; ++i) take_turn();
}

void counters() {
  void* one = dlopen("libone.so", RTLD_NOW);
  if (one == nullptr) {
    SAY("libone.so: %s", dlerror());
    return;
  }
  int sum = 0;
  for (int i = 0; i < 20 + my_number(); ++i) {
    sum += call(one, "next_of_1");
    take_turn();
    sum += function<int(int)>(one, "use_table")(i);
  }
  SAY("sum %d, both %d, word %s", sum, call(one, "both"),
      function<const char*(int)>(one, "word")(2));
  void* two = dlopen("libtwo.so", RTLD_LAZY | RTLD_NOLOAD);
  SAY("two is there: %d, next %d", two != nullptr, call(two, "next_of_2"));
  SAY("again the same: %d", dlopen("libone.so", RTLD_NOW) == one);
  SAY("closed: %d %d", dlclose(one), dlclose(one));
  SAY("two stays, one does not: %d %d", modules_named("libtwo.so"), modules_named("libone.so"));
  SAY("closed: %d", dlclose(two));
  SAY("gone: %d", dlopen("libtwo.so", RTLD_NOW | RTLD_NOLOAD) == nullptr);
  take_turns(3);
  one = dlopen("libone.so", RTLD_NOW);
  SAY("fresh: %d", call(one, "next_of_1"));
  function<void()>(one, "ask_for_end")();
  SAY("closed: %d", dlclose(one));
}

void errors() {
  SAY("no error: %d", dlerror() == nullptr);
  void* none = dlopen("libnone.so", RTLD_NOW);
  const char* why = dlerror();
  const bool named = why != nullptr && std::strstr(why, "libnone.so") != nullptr;
  SAY("none: %d %d %d", none == nullptr, named, dlerror() == nullptr);
  void* six = dlopen("libsix.so", RTLD_NOW);
  why = dlerror();
  SAY("six: %d %d", six == nullptr, why != nullptr && std::strstr(why, "nobody_has_it") != nullptr);
  SAY("nothing of it: %d", modules_named("libsix.so"));
  void* program = dlopen(nullptr, RTLD_NOW);
  void* symbol = dlsym(program, "no_such_symbol");
  why = dlerror();
  SAY("symbol: %d %d", symbol == nullptr,
      why != nullptr && std::strstr(why, "undefined symbol: no_such_symbol") != nullptr);
  SAY("mode: %d", dlopen("libone.so", 0) == nullptr && dlerror() != nullptr);
  dlsym(program, "no_such_symbol");
  SAY("forgotten by dlsym: %d %d", dlsym(program, "of_program") != nullptr, dlerror() == nullptr);
  dlsym(program, "no_such_symbol");
  void* two = dlopen("libtwo.so", RTLD_NOW);
  SAY("forgotten by dlopen: %d %d", two != nullptr, dlerror() == nullptr);
  dlsym(program, "no_such_symbol");
  link_map* map = nullptr;
  SAY("forgotten by dlinfo: %d %d", dlinfo(two, RTLD_DI_LINKMAP, &map), dlerror() == nullptr);
  dlsym(program, "no_such_symbol");
  SAY("forgotten by dlclose: %d %d", dlclose(two), dlerror() == nullptr);
  SAY("of the program: %d", call(program, "of_program"));
  SAY("own atoi: %d", dlsym(program, "atoi") == reinterpret_cast<void*>(&atoi));
}

void scopes() {
  void* two = dlopen("libtwo.so", RTLD_NOW);
  SAY("local: %d", dlsym(RTLD_DEFAULT, "shared_word") == nullptr);
  SAY("its own: %d %d", call(two, "default_word"), call(two, "next_word"));
  void* global = dlopen("libtwo.so", RTLD_NOW | RTLD_GLOBAL);
  SAY("global: %d", *static_cast<int*>(dlsym(RTLD_DEFAULT, "shared_word")));
  // Names of the first come first for what is opened now.
  void* one = dlopen("libone.so", RTLD_NOW);
  SAY("one: %d %d %d", call(one, "part_number"), call(one, "default_word"), call(one, "next_word"));
  SAY("common: %d %d", call(one, "count_common"), call(two, "count_common"));
  take_turns(2);
  SAY("common: %d %d", call(one, "count_common"), ++Common<int>::count);
  SAY("closed: %d %d %d", dlclose(one), dlclose(global), dlclose(two));
}

void threads_and_exceptions() {
  void* three = dlopen("./libthree.so", RTLD_NOW);
  if (three == nullptr) {
    SAY("libthree.so: %s", dlerror());
    return;
  }
  int* of_thread = static_cast<int*>(dlsym(three, "of_thread"));
  for (int i = 0; i < 10 + my_number(); ++i) {
    call(three, "next_of_thread");
    take_turn();
  }
  of_thread = static_cast<int*>(dlsym(three, "of_thread"));
  const int next = call(three, "next_of_thread");
  SAY("of thread: %d %d", next, *of_thread);
  try {
    function<void(int)>(three, "throw_it")(40 + my_number());
  } catch (const Thrown& thrown) {
    take_turn();
    SAY("caught %d %s", thrown.value, thrown.text.c_str());
  }
  SAY("caught there: %d", function<int(void (*)(int))>(three, "catch_it")([](int value) {
        take_turn();
        throw Thrown{value + my_number(), "from the program"};
      }));
  const std::unique_ptr<Shape> shape(function<Shape*()>(three, "make_shape")());
  SAY("area %d", shape->area());
  SAY("ends: %d", call(three, "touch_ends"));
  Dl_info info;
  void* address = dlsym(three, "next_of_thread");
  int found = dladdr(static_cast<char*>(address) + 1, &info);
  SAY("dladdr: %d %s %s %d", found, last_part(info.dli_fname), info.dli_sname,
      info.dli_saddr == address);
  link_map* map = nullptr;
  found = dlinfo(three, RTLD_DI_LINKMAP, &map);
  SAY("dlinfo: %d %s %d", found, map->l_name,
      reinterpret_cast<void*>(map->l_addr) == info.dli_fbase);
  found = dladdr(reinterpret_cast<void*>(&of_program), &info);
  SAY("dladdr: %d %s", found, info.dli_sname);
  ElfW(Sym)* symbol = nullptr;
  found = dladdr1(address, &info, reinterpret_cast<void**>(&symbol), RTLD_DL_SYMENT);
  take_turns(3);  // what was told is there still
  SAY("dladdr1: %d %s %d", found, info.dli_sname,
      symbol != nullptr && reinterpret_cast<char*>(info.dli_fbase) + symbol->st_value == address);
  // All that lies in the library.
  const auto* begin = static_cast<const char*>(info.dli_fbase);
  SAY("in it: %d %d",
      info.dli_sname > begin &&
          info.dli_sname<begin + (1 << 20), reinterpret_cast<char*>(symbol)> begin &&
          reinterpret_cast<char*>(symbol) < begin + (1 << 20));
  SAY("closed: %d", dlclose(three));  // its thread_local has yet to end
}

// Pages that this process has in memory.
long resident_pages() {
  long all = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &all, &resident) != 2) return -1;
  std::fclose(file);
  return resident;
}

// What is open already costs nothing more to open.
void many_times() {
  const std::string path = std::string(std::getenv("HOME")) + "/libtwo.so";
  void* two = dlopen(path.c_str(), RTLD_NOW);
  const auto open_often = [&](int times) {
    int same = 0;
    for (int i = 0; i < times; ++i) {
      void* again = dlopen(path.c_str(), RTLD_NOW);
      same += again == two && dlclose(again) == 0;
    }
    return same;
  };
  open_often(200);
  // Others of the process take pages meanwhile, and the kernel counts them roughly: what grows by
  // itself grows each time.
  int same = 0;
  bool larger = true;
  for (int round = 0; round < 5 && larger; ++round) {
    const long before = resident_pages();
    same = open_often(5000);
    larger = resident_pages() - before >= 80;
  }
  SAY("the same %d, %s", same, larger ? "larger" : "no larger");
  SAY("closed: %d", dlclose(two));
}

void of_process() {
  void* math = dlopen("libm.so.6", RTLD_NOW);
  const auto cosine = function<double(double)>(math, "cos");
  take_turns(2);
  SAY("cosine %.3f", cosine(1.0 + my_number()));
  void *fresh = dlvsym(math, "exp", "GLIBC_2.29"), *old = dlvsym(math, "exp", "GLIBC_2.2.5");
  SAY("versions: %d", fresh != nullptr && old != nullptr && fresh != old);
  SAY("no version: %d", dlvsym(math, "exp", "GLIBC_9.9") == nullptr && dlerror() != nullptr);
  void* c = dlopen("libc.so.6", RTLD_NOW);
  setenv("OWN", std::to_string(my_number()).c_str(), 1);
  SAY("getenv: %s", reinterpret_cast<char* (*)(const char*)>(dlsym(c, "getenv"))("OWN"));
  const auto* list = static_cast<char***>(dlsym(RTLD_DEFAULT, "environ"));
  SAY("environ: %d", list != nullptr && *list == environ);
  SAY("malloc: %d", dlsym(RTLD_DEFAULT, "malloc") == reinterpret_cast<void*>(&malloc));
  void* two = dlopen("libtwo.so", RTLD_NOW);
  SAY("in a plug-in: %s", function<const char*()>(two, "environment_of_plugin")());
  SAY("closed: %d %d %d", dlclose(math), dlclose(c), dlclose(two));
}

}  // namespace

int main() {
  if (chdir(std::getenv("HOME")) != 0) return 3;
  bool named = false, of_main = false;
  const int traced = trace_here(&named, &of_main);
  SAY("trace: %d %d %d", traced, named, of_main);
  counters();
  errors();
  scopes();
  threads_and_exceptions();
  of_process();
  if (my_number() < 2) many_times();
  void* four = dlopen("folder/libfour.so", RTLD_NOW);
  SAY("other: %d", four == nullptr ? -2 : call(four, "open_other"));
  take_turns(2);
  void* one = dlopen("libone.so", RTLD_NOW | RTLD_GLOBAL);
  SAY("to the end: %d", call(one, "next_of_1"));
  function<void()>(one, "ask_for_end")();
  take_turns(2);
  return 0;
}
