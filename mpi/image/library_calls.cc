// dlopen and its kin: of the libraries that a virtual rank sees, and not of the process.

#include <dlfcn.h>
#include <link.h>

#include <cstring>

#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/image/image.h"
#include "mpi/image/library_paths.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"
#include "mpi/image/refusal.h"
#include "roam/error.h"

namespace roam::mpi {
namespace {

Libraries& libraries() { return Image::running()->libraries(); }

// What fails is for dlerror; an error before this call is told no more, and after one that goes
// well there is none, whatever code it has called.
template <class Result, class Do>
Result answer(Result failed, Do does) {
  libraries().forget_error();
  std::string why;
  try {
    const Result result = does();
    libraries().forget_error();
    return result;
  } catch (const Refusal& refusal) {
    why = refusal.what();
  } catch (const Error& error) {
    why = error.what();
  }
  libraries().fail(why);
  return failed;
}

void* open_library(const char* name, int mode) {
  const void* const caller = __builtin_return_address(0);
  return answer<void*>(nullptr, [&] { return libraries().open(name, mode, caller); });
}
void* open_in_namespace(Lmid_t space, const char* name, int mode) {
  const void* const caller = __builtin_return_address(0);
  return answer<void*>(nullptr, [&]() -> void* {
    if (space == LM_ID_BASE) return libraries().open(name, mode, caller);
    throw Refusal(
        "dlmopen in a virtual rank is refused: there is one namespace. A virtual rank has its "
        "libraries for itself, so dlopen may do");
  });
}
int close_library(void* handle) {
  return answer<int>(-1, [&] {
    libraries().close(libraries().of_handle(handle));
    return 0;
  });
}
void* find_symbol(void* handle, const char* name) {
  const void* const caller = __builtin_return_address(0);
  return answer<void*>(nullptr, [&] { return libraries().find(handle, name, {}, caller); });
}
void* find_version(void* handle, const char* name, const char* version) {
  const void* const caller = __builtin_return_address(0);
  return answer<void*>(nullptr, [&] { return libraries().find(handle, name, version, caller); });
}
char* error_of_library() { return libraries().error(); }

// ---- what lies at an address ----

// Index of the symbol that is told of; 0: none. All that is told goes where the virtual rank goes:
// names and symbols as they lie in its image, not in this process's own mapping of the file.
std::uint32_t describe(const Library& library, const void* address, Dl_info* info) {
  Image* image = Image::running();
  const ElfFile& file = *image->module(library.module).file;
  const Address begin = image->begin_of(library.module);
  info->dli_fname = library.module == 0 ? image->arguments()[0] : library.name.c_str();
  info->dli_fbase = reinterpret_cast<void*>(begin);
  info->dli_sname = nullptr;
  info->dli_saddr = nullptr;
  try {
    const std::uint32_t found = file.symbol_at(reinterpret_cast<Address>(address) - begin);
    if (found == 0) return 0;
    const Elf64_Sym& s = file.symbol(found);
    (void)file.string(s.st_name);  // it is one
    info->dli_sname = image->at<const char*>(library.module, file.value(DT_STRTAB) + s.st_name);
    info->dli_saddr = reinterpret_cast<void*>(begin + s.st_value);
    return found;
  } catch (const Refusal&) {
    return 0;
  }
}

int tell_address(const void* address, Dl_info* info) {
  const Library* library = libraries().at(address);
  if (library == nullptr) return ::dladdr(address, info);
  describe(*library, address, info);
  return 1;
}

int tell_more_of_address(const void* address, Dl_info* info, void** more, int what) {
  Library* library = libraries().at(address);
  if (library == nullptr) return ::dladdr1(address, info, more, what);
  const std::uint32_t found = describe(*library, address, info);
  if (what == RTLD_DL_LINKMAP) {
    *more = &library->map;
  } else if (what == RTLD_DL_SYMENT) {
    Image* image = Image::running();
    const auto* symbols = image->at<Elf64_Sym*>(
        library->module, image->module(library->module).file->value(DT_SYMTAB));
    *more = found == 0 ? nullptr : const_cast<Elf64_Sym*>(symbols + found);
  }
  return 1;
}

int tell_origin_of_process(const std::string& library, char* to) {
  const iso::HeapScope process;
  void* const opened = ::dlopen(library.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  const int result = opened == nullptr ? -1 : ::dlinfo(opened, RTLD_DI_ORIGIN, to);
  if (opened != nullptr) ::dlclose(opened);
  return result;
}

int tell_of_library(void* handle, int what, void* to) {
  return answer<int>(-1, [&] {
    Library* library = libraries().of_handle(handle);
    Image* image = Image::running();
    const bool laid = !library->is_of_process();
    const bool has_thread_locals = laid && image->module(library->module).thread_locals.bytes != 0;
    switch (what) {
      case RTLD_DI_LINKMAP:
        *static_cast<link_map**>(to) = &library->map;
        return 0;
      case RTLD_DI_LMID:
        *static_cast<Lmid_t*>(to) = LM_ID_BASE;
        return 0;
      case RTLD_DI_ORIGIN: {
        if (!laid) return tell_origin_of_process(library->name, static_cast<char*>(to));
        const ElfFile& file = *image->module(library->module).file;
        std::strcpy(static_cast<char*>(to), origin_of(file, library->module == 0).c_str());
        return 0;
      }
      case RTLD_DI_TLS_MODID:
        *static_cast<std::size_t*>(to) = has_thread_locals ? library->module + 1 : 0;
        return 0;
      case RTLD_DI_TLS_DATA:
        *static_cast<void**>(to) =
            has_thread_locals ? image->thread_locals_of(library->module) : nullptr;
        return 0;
      default:
        throw Refusal(text("dlinfo of kind %d in a virtual rank is refused", what));
    }
  });
}

// ---- all of them ----

using Visit = int (*)(dl_phdr_info*, std::size_t, void*);

int visit_all(Visit visit, void* argument) {
  Image* image = Image::running();
  const auto& list = libraries().list();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Library& library = *list[i];
    if (library.is_of_process()) continue;
    const ElfFile& file = *image->module(library.module).file;
    const bool has_thread_locals = image->module(library.module).thread_locals.bytes != 0;
    dl_phdr_info info{};
    info.dlpi_addr = image->begin_of(library.module);
    info.dlpi_name = library.name.c_str();
    info.dlpi_phdr = image->at<const ElfW(Phdr)*>(library.module, file.header().e_phoff);
    info.dlpi_phnum = file.header().e_phnum;
    info.dlpi_adds = libraries().added();
    info.dlpi_subs = libraries().removed();
    info.dlpi_tls_modid = has_thread_locals ? library.module + 1 : 0;
    info.dlpi_tls_data = has_thread_locals ? image->thread_locals_of(library.module) : nullptr;
    if (const int result = visit(&info, sizeof info, argument); result != 0) return result;
  }
  struct Asked {
    Visit visit;
    void* argument;
  } asked{visit, argument};
  // Of the process, but for the launcher, which is the program there.
  return ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t bytes, void* to) {
        if (*info->dlpi_name == '\0') return 0;
        const auto* a = static_cast<Asked*>(to);
        return a->visit(info, bytes, a->argument);
      },
      &asked);
}

}  // namespace

void add_library_calls() {
  add_launcher_call("dlopen", &open_library);
  add_launcher_call("dlmopen", &open_in_namespace);
  add_launcher_call("dlclose", &close_library);
  add_launcher_call("dlsym", &find_symbol);
  add_launcher_call("dlvsym", &find_version);
  add_launcher_call("dlerror", &error_of_library);
  add_launcher_call("dladdr", &tell_address);
  add_launcher_call("dladdr1", &tell_more_of_address);
  add_launcher_call("dlinfo", &tell_of_library);
  add_launcher_call("dl_iterate_phdr", &visit_all);
}

}  // namespace roam::mpi
