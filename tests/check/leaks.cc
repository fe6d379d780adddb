// Threads that leave with a pointer that cannot travel, or leave one behind, one kind a run.
//
//   leaks KIND
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cstring>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "roam/roam.h"

namespace {

char table[4096] = "of the process";
thread_local char scratch[256] = "of the kernel thread";
void* mapped = nullptr;
const char* local_of_main = nullptr;
std::vector<int*>* index_of_all = nullptr;

// Keeps `pointer` in an object of the heap over a move.
void carry(void* pointer) {
  auto held = std::make_unique<void*>(pointer);
  roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
  asm volatile("" ::"r"(held.get()) : "memory");
}

void leave() { roam::this_thread::migrate((roam::rank() + 1) % roam::ranks()); }

void system_heap() {
  void* block = nullptr;
  {
    roam::SystemHeap process;
    block = std::malloc(300);
  }
  carry(block);
}

void broken_down_time() {
  const std::time_t now = 0;
  const std::tm* local = std::localtime(&now);
  leave();
  asm volatile("" ::"r"(local->tm_year) : "memory");
}

char* text_of_mine() {
  char* text = static_cast<char*>(std::malloc(64));
  std::strcpy(text, "words of mine");
  return text;
}

// libc has where it stopped.
void data_of_libc() {
  static_cast<void>(std::strtok(text_of_mine(), " "));
  leave();
}

// The linker would put one that the program names into the program.
void set_variable_of_libc() {
  *static_cast<char**>(dlsym(RTLD_DEFAULT, "optarg")) = text_of_mine();
}

void variable_of_libc() {
  set_variable_of_libc();
  leave();
}

void block_of_process() {
  int* mine = new int(7);
  {
    roam::SystemHeap process;
    if (index_of_all == nullptr) index_of_all = new std::vector<int*>;
    index_of_all->push_back(mine);
  }
  leave();
}

// What a program holds that travels well, and nothing else.
void nothing() {
  std::map<std::string, std::vector<double>> series;
  for (int i = 0; i < 50; ++i) series["series " + std::to_string(i)].resize(100, i);
  const std::function<double()> sum = [&series] {
    double total = 0;
    for (const auto& [name, values] : series) total += values[0];
    return total;
  };
  for (int i = 0; i < 20; ++i) {
    leave();
    if (sum() != 1225) std::abort();
  }
}

const std::map<std::string, void (*)()> kinds = {
    {"system_heap", system_heap},
    {"mapping", [] { carry(mapped); }},
    {"static", [] { carry(table); }},
    {"thread_local", [] { carry(scratch); }},
    {"stack_of_main", [] { carry(const_cast<char*>(local_of_main)); }},
    {"environment", [] { carry(getenv("ROAM_CHECK")); }},
    {"broken_down_time", broken_down_time},
    {"data_of_libc", data_of_libc},
    {"variable_of_libc", variable_of_libc},
    {"variable_of_ended", set_variable_of_libc},
    {"block_of_process", block_of_process},
    {"nothing", nothing},
};

}  // namespace

int main(int argc, char** argv) {
  const char on_main[64] = "a local variable of main";
  local_of_main = on_main;
  mapped = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return roam::run(argc, argv, [kind = std::string(argc > 1 ? argv[1] : "")] {
    const auto it = kinds.find(kind);
    if (it == kinds.end()) return 2;
    roam::spawn(roam::SpawnOptions{.name = "keeper", .rank = 1}, it->second).join();
    return 0;
  });
}
