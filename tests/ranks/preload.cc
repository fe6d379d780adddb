// A map in a thread's heap migrates, whatever allocator the site preloads.
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "roam/roam.h"

namespace {

std::string value(int key) { return std::string(100, static_cast<char>('a' + key % 26)); }

void travel() {
  std::map<int, std::string> entries;
  for (int key = 0; key < 1000; ++key) entries[key] = value(key);
  if (!roam::in_thread_heap(&entries[5])) std::puts("an entry lies outside the thread's heap");
  roam::this_thread::migrate(roam::ranks() - 1);
  int wrong = 0;
  for (const auto& [key, text] : entries) wrong += text != value(key) ? 1 : 0;
  // A size that a library asks about a block of the thread's heap.
  void* block = std::malloc(100);
  wrong += malloc_usable_size(block) < 100 || malloc_usable_size(block) > 128 ? 1 : 0;
  std::free(block);
  std::printf("%d entries are wrong\n", wrong);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return roam::run(argc, argv, [] { roam::spawn(travel).join(); });
  } catch (const roam::Error& error) {
    std::fprintf(stderr, "Error(%s): %s\n", roam::to_string(error.code()), error.what());
    return 3;
  }
}
