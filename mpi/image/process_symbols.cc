#include "mpi/image/process_symbols.h"

#include <dlfcn.h>

#include <map>

namespace roam::mpi {
namespace {

std::map<std::string, const void*, std::less<>>& calls() {
  static auto& made = *new std::map<std::string, const void*, std::less<>>;
  return made;
}

const void* (*last_call)(std::string_view) = nullptr;

bool is_launchers(const void* address) {
  Dl_info of, own;
  return dladdr(address, &of) != 0 &&
         dladdr(reinterpret_cast<const void*>(&process_symbol), &own) != 0 &&
         of.dli_fbase == own.dli_fbase;
}

}  // namespace

const void* launcher_call(std::string_view name) {
  const auto found = calls().find(name);
  if (found != calls().end()) return found->second;
  return last_call == nullptr ? nullptr : last_call(name);
}

void set_last_launcher_call(const void* (*find)(std::string_view name)) { last_call = find; }

void add_launcher_call(std::string_view name, const void* function) {
  calls().insert_or_assign(std::string(name), function);
}

const void* process_symbol(const std::string& name, const std::string& version) {
  const void* any = dlsym(RTLD_DEFAULT, name.c_str());
  if (any == nullptr || version.empty() || is_launchers(any)) return any;
  return dlvsym(RTLD_DEFAULT, name.c_str(), version.c_str());
}

}  // namespace roam::mpi
