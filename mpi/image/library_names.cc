// Names of the libraries of a virtual rank, as dlsym looks them up.

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/image/image.h"
#include "mpi/image/libraries.h"
#include "mpi/image/process_symbols.h"
#include "mpi/image/refusal.h"

namespace roam::mpi {
namespace {

void* pointer(const void* address) { return const_cast<void*>(address); }

// What one of the libraries that are the process's defines; not what others of it do, which the
// launcher or MPI has brought. `of` is empty: any of them.
const void* of_process_libraries(const std::string& of, const LibraryRule& rule,
                                 const std::string& name, const std::string& version) {
  std::vector<std::string> names = rule.made_shared;
  for (const std::string_view shared : kProcessLibraries) names.emplace_back(shared);
  if (!of.empty()) names = {of};
  for (const std::string& library : names) {
    void* const handle = dlopen(library.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    if (handle == nullptr) continue;
    const void* found = version.empty() ? dlsym(handle, name.c_str())
                                        : dlvsym(handle, name.c_str(), version.c_str());
    dlclose(handle);
    if (found != nullptr) return found;
  }
  return nullptr;
}

}  // namespace

void* Libraries::find(void* handle, const char* name, const std::string& version,
                      const void* caller) {
  Library* by = nullptr;
  if (handle == RTLD_DEFAULT || handle == RTLD_NEXT) {
    by = at(caller);
    if (by == nullptr && handle == RTLD_NEXT)
      throw Refusal("RTLD_NEXT used in code not dynamically loaded");
    if (by == nullptr) by = list()[0].get();
  }
  void* found = nullptr;
  const Library* of = list()[0].get();
  if (handle == RTLD_NEXT) {
    const std::vector<Library*>& all = by->root->reach;
    const auto self = std::find(all.begin(), all.end(), by);
    const std::vector<Library*> rest(self == all.end() ? self : self + 1, all.end());
    found = found_in(rest, name, version);
    of = by;
  } else if (handle == RTLD_DEFAULT) {
    std::vector<Library*> scope = globals_;
    scope.insert(scope.end(), by->root->reach.begin(), by->root->reach.end());
    Library* in = nullptr;
    found = found_in(scope, name, version, &in);
    // Who has found a name so holds whose it is, as in libc.
    if (in != nullptr && std::find(by->reach.begin(), by->reach.end(), in) == by->reach.end() &&
        std::find(by->uses.begin(), by->uses.end(), in) == by->uses.end())
      by->uses.push_back(in);
    of = by;
  } else {
    of = of_handle(handle);
    if (of->is_of_process()) {
      found = found_in_process(of, name, version);
    } else if (of->module == 0) {
      found = found_in(globals_, name, version);
    } else {
      found = found_in(of->reach, name, version);
    }
  }
  if (found != nullptr) return found;
  throw Refusal(text("%s: undefined symbol: %s%s%s",
                     of->module == 0 ? image_.arguments()[0] : of->name.c_str(), name,
                     version.empty() ? "" : ", version ", version.c_str()));
}

// As code of the program finds them (Relocator::place_of), so that all have one address.
void* Libraries::found_in(const std::vector<Library*>& scope, const std::string& name,
                          const std::string& version, Library** in) const {
  const bool alone = is_launchers_alone(name);
  for (Library* library : scope) {
    if (alone && library->module != 0) break;
    const ElfFile* file = library->is_of_process() ? process_library(library->name)
                                                   : image_.module(library->module).file;
    std::uint32_t found = file == nullptr ? 0 : file->find(name, version);
    if (found == 0) continue;
    if (library->is_of_process()) {
      if (libc_variable(name).has_value()) continue;
      break;
    }
    library = the_one(library, &found, name, version);
    if (in != nullptr) *in = library;
    return address_of(library->module, found);
  }
  return found_in_process(nullptr, name, version);
}

// As Relocator::the_one.
Library* Libraries::the_one(Library* library, std::uint32_t* symbol, const std::string& name,
                            const std::string& version) const {
  const auto is_unique = [&](const Library* l, std::uint32_t index) {
    return ELF64_ST_BIND(image_.module(l->module).file->symbol(index).st_info) == STB_GNU_UNIQUE;
  };
  if (!is_unique(library, *symbol)) return library;
  for (Library* l : laid()) {
    const std::uint32_t found = image_.module(l->module).file->find(name, version);
    if (found == 0 || !is_unique(l, found)) continue;
    library = l;
    *symbol = found;
    break;
  }
  library->kept = true;
  return library;
}

void* Libraries::address_of(std::size_t module, std::uint32_t symbol) const {
  const Elf64_Sym& s = image_.module(module).file->symbol(symbol);
  if (s.st_shndx == SHN_ABS) return reinterpret_cast<void*>(s.st_value);
  switch (ELF64_ST_TYPE(s.st_info)) {
    case STT_TLS:
      return image_.thread_locals_of(module) + s.st_value;
    case STT_GNU_IFUNC:
      return image_.at<void* (*)()>(module, s.st_value)();
    default:
      return image_.at<void*>(module, s.st_value);
  }
}

// `library` is null: in any, and what the launcher has for programs besides.
void* Libraries::found_in_process(const Library* library, const std::string& name,
                                  const std::string& version) const {
  const iso::HeapScope process;
  const void* const ours = launcher_call(name);
  if (library == nullptr && ours != nullptr) return pointer(ours);
  const void* found = of_process_libraries(library == nullptr ? std::string() : library->name,
                                           image_.layout().set().rule(), name, version);
  if (found == nullptr) return nullptr;
  if (ours != nullptr) return pointer(ours);
  if (const auto own = libc_variable(name); own.has_value()) {
    const Layout::Variable& v = image_.layout().variable(*own);
    return image_.at<void*>(v.module, v.offset);
  }
  if (!is_variable_of_all(name) && is_variable_of_libc(found)) {
    throw Refusal(
        text("the variable %s of libc is the process's: what one virtual rank stores in it, all "
             "would have",
             name.c_str()));
  }
  // The launcher's own definition, which captures malloc and its kin.
  const void* first = process_symbol(name, version);
  return pointer(first != nullptr ? first : found);
}

void Libraries::fail(std::string why) {
  error_ = std::move(why);
  failed_ = true;
}

char* Libraries::error() {
  if (!failed_) return nullptr;
  failed_ = false;
  told_.swap(error_);
  return told_.data();
}

}  // namespace roam::mpi
