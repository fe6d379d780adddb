// Threads that leave with a pointer that cannot travel, or leave one behind, one kind a run.
//
//   leaks KIND
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <condition_variable>
#include <cstring>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
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

// One that main() started, and that maps and allocates memory for the program.
struct KernelThread {
  std::thread handle;
  std::mutex mutex;
  std::condition_variable changed;
  bool may_end = false;
  void* block = nullptr;
  void* mapping = nullptr;

  void start() {
    handle = std::thread([this] {
      std::unique_lock hold(mutex);
      block = std::malloc(300);
      mapping = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      changed.notify_all();
      changed.wait(hold, [this] { return may_end; });
    });
    std::unique_lock hold(mutex);
    changed.wait(hold, [this] { return mapping != nullptr; });
  }
  void end() {
    {
      const std::lock_guard hold(mutex);
      may_end = true;
    }
    changed.notify_all();
    handle.join();
  }
};
KernelThread kernel_thread;

char* in_system_heap(std::size_t bytes) {
  roam::SystemHeap process;
  return static_cast<char*>(std::malloc(bytes));
}

std::map<std::string, int>& table_of_all() {
  static std::map<std::string, int> words = {{"one", 1}, {"two", 2}, {"three", 3}};
  return words;
}

// Of a table that is the process's, in the frame only.
void iterator() {
  auto found = table_of_all().find("two");
  asm volatile("" : "+m"(found));
  leave();
  asm volatile("" ::"m"(found) : "memory");
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
    {"inside_mapping", [] { carry(static_cast<char*>(mapped) + 4711); }},
    {"inside_block", [] { carry(in_system_heap(300) + 77); }},
    {"inside_large_block", [] { carry(in_system_heap(1 << 20) + 70001); }},
    {"kernel_thread", [] { carry(reinterpret_cast<void*>(kernel_thread.handle.native_handle())); }},
    {"block_of_kernel_thread", [] { carry(kernel_thread.block); }},
    {"mapping_of_kernel_thread", [] { carry(kernel_thread.mapping); }},
    {"iterator", iterator},
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
  kernel_thread.start();
  const int code = roam::run(argc, argv, [kind = std::string(argc > 1 ? argv[1] : "")] {
    const auto it = kinds.find(kind);
    if (it == kinds.end()) return 2;
    roam::spawn(roam::SpawnOptions{.name = "keeper", .rank = 1}, it->second).join();
    return 0;
  });
  kernel_thread.end();
  return code;
}
