// Libraries that the program loads are looked for where the program says, also where Roam itself is
// a library, and what they allocate in a thread travels. No other library of the project's: it
// would bring Roam twice.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "roam/roam.h"

namespace {

void expect(bool right, const std::string& what) {
  if (right) return;
  std::fprintf(stderr, "on rank %d: not so: %s\n", roam::rank(), what.c_str());
  std::exit(1);
}

void* load(const char* path, int flags) {
  void* library = dlopen(path, flags);
  if (library == nullptr) std::fprintf(stderr, "%s\n", dlerror());
  return library;
}

void go_round() {
  for (int k = 0; k < roam::ranks(); ++k)
    roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
}

void use(void* library) {
  auto* allocate = reinterpret_cast<void* (*)(std::size_t)>(dlsym(library, "library_allocate"));
  auto* copy = reinterpret_cast<char* (*)(const char*)>(dlsym(library, "library_copy"));
  expect(allocate != nullptr && copy != nullptr, "the library's functions are there");
  char* block = static_cast<char*>(allocate(5000));
  std::memset(block, 'a', 5000);
  char* text = copy("copied by the library");
  go_round();
  expect(block[0] == 'a' && block[4999] == 'a', "a block that a library allocated");
  expect(std::strcmp(text, "copied by the library") == 0, "a string that a library copied");
  std::free(block);
  std::free(text);
}

}  // namespace

int main(int argc, char** argv) {
  // In the folder of the program, which only its own search path names.
  expect(load("mapping_library.so", RTLD_NOW) != nullptr, "found by DT_RUNPATH");
  expect(dlopen("mapping_library.so", RTLD_NOW | RTLD_NOLOAD) != nullptr, "found as loaded");
  expect(load("$ORIGIN/mapping_library.so", RTLD_NOW) != nullptr, "found by $ORIGIN");
  expect(dlopen("no_such_library_of_roam.so", RTLD_NOW) == nullptr, "what is nowhere is not found");
  const char* why = dlerror();
  expect(why != nullptr && std::strstr(why, "no_such_library_of_roam.so") != nullptr, "dlerror");
  return roam::run(argc, argv, [] {
    roam::spawn([] { use(load("mapping_library.so", RTLD_NOW)); }).join();
    roam::spawn([] { use(load("libwith_own_names.so", RTLD_NOW | RTLD_DEEPBIND)); }).join();
    std::printf("all libraries were found and used\n");
  });
}
