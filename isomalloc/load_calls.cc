// dlopen. What a library's constructors allocate is the process's, whoever loads it, and so is what
// its slots lead to afterwards (library_slots.h).
//
// libc looks for a library where the caller says (DT_RPATH, DT_RUNPATH, $ORIGIN), and takes who
// called it for the caller. Where Roam is a library that would be Roam, so the caller's wishes are
// carried out here.
//
// Source: ld.so(8), "The search order", as glibc keeps it.

#include "isomalloc/load_calls.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/os/mappings.h"
#include "base/range.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/library_slots.h"
#include "isomalloc/library_window.h"
#include "isomalloc/process_call.h"

namespace {

using roam::iso::HeapScope;
using roam::iso::next;

void* real_dlopen(const char* path, int flags) {
  static const auto real = next<void*(const char*, int)>("dlopen");
  return real(path, flags);
}

bool is_loaded(const char* path) {
  void* loaded = real_dlopen(path, RTLD_NOLOAD | RTLD_LAZY);
  if (loaded != nullptr) dlclose(loaded);
  return loaded != nullptr;
}

link_map* module_of(const void* address) {
  Dl_info info{};
  link_map* module = nullptr;
  if (dladdr1(address, &info, reinterpret_cast<void**>(&module), RTLD_DL_LINKMAP) == 0)
    return nullptr;
  return module;
}

// The folder that the module lies in.
std::string origin_of(const link_map* module) {
  const bool program = module->l_name == nullptr || *module->l_name == '\0';
  void* handle = real_dlopen(program ? nullptr : module->l_name, RTLD_NOLOAD | RTLD_LAZY);
  if (handle == nullptr) return {};
  char folder[PATH_MAX];
  const bool known = dlinfo(handle, RTLD_DI_ORIGIN, folder) == 0;
  dlclose(handle);
  return known ? folder : "";
}

std::string with_origin(std::string path, const link_map* module) {
  for (const std::string_view name : {"${ORIGIN}", "$ORIGIN"}) {
    for (std::size_t at; (at = path.find(name)) != path.npos;)
      path.replace(at, name.size(), origin_of(module));
  }
  return path;
}

struct SearchPaths {
  const char* before = nullptr;  // DT_RPATH: looked through before LD_LIBRARY_PATH
  const char* after = nullptr;   // DT_RUNPATH, in whose presence the other does not count
};

SearchPaths search_paths_of(const link_map* module) {
  const char* names = nullptr;
  for (const ElfW(Dyn)* entry = module->l_ld; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_STRTAB) names = reinterpret_cast<const char*>(entry->d_un.d_ptr);
  }
  SearchPaths paths;
  if (names == nullptr) return paths;
  for (const ElfW(Dyn)* entry = module->l_ld; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_RPATH) paths.before = names + entry->d_un.d_val;
    if (entry->d_tag == DT_RUNPATH) paths.after = names + entry->d_un.d_val;
  }
  if (paths.after != nullptr) paths.before = nullptr;
  return paths;
}

// The first of the folders in `list` that has a file `name`, with it; empty if none has.
std::string found_in(const char* list, const std::string& name, const link_map* module) {
  std::string_view rest = list == nullptr ? "" : list;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(":;"), rest.size());
    const std::string_view folder = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::string path =
        folder.empty() ? name : with_origin(std::string(folder), module) + "/" + name;
    if (access(path.c_str(), R_OK) == 0) return path;
  }
  return {};
}

// The path that libc would find for `caller`, as far as that hangs on the caller.
std::string path_for(const char* path, const void* caller) {
  const link_map* module = module_of(caller);
  if (module == nullptr || module == module_of(reinterpret_cast<const void*>(&path_for)))
    return path;
  if (std::string_view(path).find('/') != std::string_view::npos) return with_origin(path, module);
  if (is_loaded(path)) return path;
  const SearchPaths paths = search_paths_of(module);
  if (std::string found = found_in(paths.before, path, module); !found.empty()) return found;
  if (!found_in(std::getenv("LD_LIBRARY_PATH"), path, module).empty()) return path;
  const std::string found = found_in(paths.after, path, module);
  return found.empty() ? path : found;
}

// With this flag a library finds libc's malloc before ours, and all else that stands before libc.
int without_deep_binding(const char* path, int flags) {
  if ((flags & RTLD_DEEPBIND) == 0) return flags;
  static std::atomic<bool> said = false;
  if (!said.exchange(true)) {
    roam::report(roam::text("dlopen of %s: RTLD_DEEPBIND is left out, since the library would find "
                            "libc's malloc in place of the one whose memory travels with threads",
                            path != nullptr ? path : "the program")
                     .c_str());
  }
  return flags & ~RTLD_DEEPBIND;
}

roam::Range range_of(void* library) {
  link_map* named = nullptr;
  if (dlinfo(library, RTLD_DI_LINKMAP, &named) != 0) return {};
  for (const roam::os::Module& module : roam::os::modules()) {
    if (module.segments.empty()) continue;
    const roam::Address begin = module.segments.front().begin;
    const roam::Address end = roam::round_up(module.segments.back().end(), roam::kPageBytes);
    if (const roam::Range all{begin, end - begin}; all.contains(named->l_ld)) return all;
  }
  return {};
}

// What the program loads while the job runs lies alike on all ranks that load it.
void* load_in_place(const char* path, int flags) {
  const roam::iso::LibraryPlace place(path);
  void* library = real_dlopen(path, flags);
  if (library == nullptr || place.has(range_of(library))) return library;
  roam::report(roam::text("dlopen of %s: it could not be laid where it lies on other ranks (is "
                          "something else there, or the stack's size unlimited?), so threads that "
                          "come here with pointers to its functions or constants will fail. Load "
                          "it before roam::run, or link the program with it",
                          path)
                   .c_str());
  return library;
}

void* load(const char* path, int flags, bool by_program) {
  const bool in_job = by_program && path != nullptr && *path != '\0' &&
                      (flags & RTLD_NOLOAD) == 0 && roam::iso::arena().ready();
  return in_job && !is_loaded(path) ? load_in_place(path, flags) : real_dlopen(path, flags);
}

void* open_library(const char* path, int flags, const void* caller) {
  HeapScope process;
  flags = without_deep_binding(path, flags);
  const bool by_program = roam::iso::is_program_code(caller);
  void* library = nullptr;
  if (path != nullptr && *path != '\0') {
    const std::string found = path_for(path, caller);
    if (found != path) library = load(found.c_str(), flags, by_program);
  }
  if (library == nullptr) library = load(path, flags, by_program);
  if (library != nullptr) roam::iso::turn_library_slots();
  return library;
}

}  // namespace

ROAM_EXPORT void* dlopen(const char* path, int flags) {
  return open_library(path, flags, __builtin_return_address(0));
}
extern "C" [[gnu::alias("dlopen"), gnu::nothrow]] void* roam_dlopen(const char* path, int flags);
ROAM_PROCESS_CALL(int, dlclose, (void* handle), (handle))

// To look libc's up forgets the error that is asked for: that is done before there is one.
namespace {
char* (*const real_dlerror)() = next<char*()>("dlerror");
}
ROAM_EXPORT char* dlerror() {
  char* (*const real)() = real_dlerror != nullptr ? real_dlerror : next<char*()>("dlerror");
  HeapScope process;
  return real();
}
