#include "mpi/image/process_symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>

#include "base/range.h"
#include "mpi/image/elf_file.h"
#include "mpi/image/module_set.h"
#include "mpi/image/of_process.h"
#include "mpi/image/refusal.h"

namespace roam::mpi {
namespace {

constinit OfProcess<std::map<std::string, const void*, std::less<>>> calls;
constinit OfProcess<std::map<std::string, std::unique_ptr<ElfFile>>> libraries;

const void* (*last_call)(std::string_view) = nullptr;

constexpr std::string_view kAlone[] = {
    "__libc_start_main", "__cxa_atexit",        "__cxa_at_quick_exit",
    "__cxa_finalize",    "__cxa_thread_atexit", "__cxa_thread_atexit_impl",
    "__tls_get_addr",    "_dl_find_object",
};

bool is_launchers(const void* address) {
  Dl_info of, own;
  return dladdr(address, &of) != 0 &&
         dladdr(reinterpret_cast<const void*>(&process_symbol), &own) != 0 &&
         of.dli_fbase == own.dli_fbase;
}

// What is in segments that may be written, but for what is made constant once it is relocated.
bool is_writable(const void* begin_of_module, const void* address) {
  struct Asked {
    Address begin, address;
    bool writable = false;
  } asked{reinterpret_cast<Address>(begin_of_module), reinterpret_cast<Address>(address)};
  dl_iterate_phdr(
      [](dl_phdr_info* module, std::size_t, void* argument) {
        auto* a = static_cast<Asked*>(argument);
        if (module->dlpi_addr != a->begin) return 0;
        bool in_data = false, in_constants = false;
        for (unsigned i = 0; i < module->dlpi_phnum; ++i) {
          const ElfW(Phdr)& s = module->dlpi_phdr[i];
          if (!Range{a->begin + s.p_vaddr, s.p_memsz}.contains(reinterpret_cast<void*>(a->address)))
            continue;
          if (s.p_type == PT_LOAD) in_data |= (s.p_flags & PF_W) != 0;
          if (s.p_type == PT_GNU_RELRO) in_constants = true;
        }
        a->writable = in_data && !in_constants;
        return 1;
      },
      &asked);
  return asked.writable;
}

}  // namespace

const void* launcher_call(std::string_view name) {
  {
    const auto known = calls.use();
    const auto found = known->find(name);
    if (found != known->end()) return found->second;
  }
  return last_call == nullptr ? nullptr : last_call(name);
}

void set_last_launcher_call(const void* (*find)(std::string_view name)) { last_call = find; }

bool is_launchers_alone(std::string_view name) {
  return std::find(std::begin(kAlone), std::end(kAlone), name) != std::end(kAlone);
}

const ElfFile* process_library(const std::string& name) {
  const auto files = libraries.use();
  if (const auto known = files->find(name); known != files->end()) return known->second.get();
  void* const handle = dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  const link_map* map = nullptr;
  if (handle == nullptr || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return nullptr;
  std::unique_ptr<ElfFile>& file = (*files)[name];
  try {
    file = std::make_unique<ElfFile>(map->l_name);
  } catch (const Refusal&) {
  }
  dlclose(handle);
  return file.get();
}

void add_launcher_call(std::string_view name, const void* function) {
  calls.use()->insert_or_assign(std::string(name), function);
}

const void* process_symbol(const std::string& name, const std::string& version) {
  const void* any = dlsym(RTLD_DEFAULT, name.c_str());
  if (version.empty() || (any != nullptr && is_launchers(any))) return any;
  return dlvsym(RTLD_DEFAULT, name.c_str(), version.c_str());  // `any` has the newest one's only
}

bool is_variable_of_libc(const void* address) {
  Dl_info of;
  const ElfW(Sym)* symbol = nullptr;
  if (dladdr1(address, &of, const_cast<void**>(reinterpret_cast<const void**>(&symbol)),
              RTLD_DL_SYMENT) == 0 ||
      symbol == nullptr || ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT)
    return false;
  const std::string_view path(of.dli_fname);
  if (!LibraryRule().is_shared(path.substr(path.rfind('/') + 1))) return false;
  return is_writable(of.dli_fbase, address);
}

}  // namespace roam::mpi
