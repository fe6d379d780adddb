#include "isomalloc/library_slots.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string_view>

#include "base/os/memory.h"
#include "base/sanitizers.h"
#include "isomalloc/arena.h"
#include "isomalloc/heap.h"
#include "isomalloc/helper_threads.h"
#include "isomalloc/load_calls.h"

extern "C" {
void* __libc_malloc(std::size_t bytes) ROAM_OF_PROCESS("malloc");
void* __libc_calloc(std::size_t count, std::size_t bytes) ROAM_OF_PROCESS("calloc");
void* __libc_memalign(std::size_t alignment, std::size_t bytes) ROAM_OF_PROCESS("memalign");
void roam_own_malloc();
void roam_own_calloc();
void roam_own_realloc();
}

namespace roam::iso {
namespace {

// Whether what libraries allocate is their caller's.
thread_local constinit bool library_gives [[gnu::tls_model("initial-exec")]] = false;

// libc's sort: its buffer is the caller's, whose comparison may move it to another rank.
constinit Range sort_code{};

// A library of the process calls these in place of the malloc family. What it keeps of a helper's
// calls pins nobody.
void* library_malloc(std::size_t bytes) {
  if (library_gives || sort_code.contains(__builtin_return_address(0))) return malloc(bytes);
  HeapScope process;
  return sanitizers::of_library(__libc_malloc(bytes));
}

void* library_calloc(std::size_t count, std::size_t bytes) {
  if (library_gives) return calloc(count, bytes);
  HeapScope process;
  return __libc_calloc(count, bytes);
}

// A block stays where it is: a thread's comes from the caller (getline), and grows in its heap.
void* library_realloc(void* block, std::size_t bytes) {
  return block == nullptr ? library_malloc(bytes) : realloc(block, bytes);
}

void* library_reallocarray(void* block, std::size_t count, std::size_t bytes) {
  std::size_t all = 0;
  if (__builtin_mul_overflow(count, bytes, &all)) {
    errno = ENOMEM;
    return nullptr;
  }
  return library_realloc(block, all);
}

void* library_memalign(std::size_t alignment, std::size_t bytes) {
  if (library_gives) return memalign(alignment, bytes);
  HeapScope process;
  return __libc_memalign(alignment, bytes);
}

int library_posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  if (library_gives) return posix_memalign(block, alignment, bytes);
  HeapScope process;
  void* made = __libc_memalign(alignment, bytes);
  if (made == nullptr) return ENOMEM;
  *block = made;
  return 0;
}

template <class F>
void* address_of(F* function) {
  return reinterpret_cast<void*>(function);
}

struct Turn {
  const char* name;
  void* to;
};
const Turn kFamily[] = {
    {"malloc", address_of(library_malloc)},
    {"calloc", address_of(library_calloc)},
    {"realloc", address_of(library_realloc)},
    {"reallocarray", address_of(library_reallocarray)},
    {"memalign", address_of(library_memalign)},
    {"aligned_alloc", address_of(library_memalign)},
    {"posix_memalign", address_of(library_posix_memalign)},
};
// Another library of the process calls libc's own of these: what they give is that library's, and
// so are the kernel threads that it makes.
const char* const kLibcs[] = {
    "strdup",      "__strdup",        "strndup",        "__strndup",       "wcsdup",
    "asprintf",    "vasprintf",       "__asprintf_chk", "__vasprintf_chk", "getline",
    "getdelim",    "__getdelim",      "realpath",       "__realpath_chk",  "getcwd",
    "getaddrinfo", "dl_iterate_phdr", "pthread_create", "pthread_join",    "pthread_detach"};
Turn libcs[std::size(kLibcs)] = {};

// ld.so looks up three of the family for itself and keeps the pointers.
const struct {
  const char* name;
  void* from;
  void* to;
} kOfLoader[] = {
    {"malloc of ld.so", address_of(roam_own_malloc), address_of(library_malloc)},
    {"calloc of ld.so", address_of(roam_own_calloc), address_of(library_calloc)},
    {"realloc of ld.so", address_of(roam_own_realloc), address_of(library_realloc)},
};
// Of libc what it calls by slots in every release.
constexpr std::size_t kNeededOfLibc = 3;
bool turned_of_libc[kNeededOfLibc];
bool turned_of_loader[std::size(kOfLoader)];

// The program's own modules call these of ours, which the dynamic linker does not find
// (mapping_calls.cc, load_calls.h).
const Turn kOfProgram[] = {
    {"mmap", address_of(mmap)},         {"mmap64", address_of(mmap64)},
    {"munmap", address_of(munmap)},     {"mremap", address_of(mremap)},
    {"shmat", address_of(shmat)},       {"shmdt", address_of(shmdt)},
    {"mprotect", address_of(mprotect)}, {"dlopen", address_of(roam_dlopen)},
    {"madvise", address_of(madvise)},
};

enum class Kind { kOther, kLibc, kLoader, kLanguage, kProgram };

// The program is what does not come from a directory of the system. What libraries there map they
// most often keep for the process (buffers of a BLAS).
Kind kind_of(std::string_view path) {
  if (path.empty()) return Kind::kProgram;
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name == "libc.so.6") return Kind::kLibc;
  if (name.starts_with("ld-linux")) return Kind::kLoader;
  for (const char* start : {"libgcc_s.so.", "libgomp.so.", "libresolv.so.", "libnss_", "libanl.so.",
                            "librt.so.", "libpthread.so.", "libm.so."}) {
    if (name.starts_with(start)) return Kind::kLanguage;
  }
  if (path.find("/gconv/") != path.npos) return Kind::kLanguage;
  for (const char* system : {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "linux-vdso"}) {
    if (path.starts_with(system)) return Kind::kOther;
  }
  return Kind::kProgram;
}

// A loaded module's segments and dynamic section.
class Module {
 public:
  explicit Module(const dl_phdr_info& info) : base_(info.dlpi_addr), info_(info) {
    for (int i = 0; i < info.dlpi_phnum; ++i) {
      const ElfW(Phdr)& header = info.dlpi_phdr[i];
      const Range range{base_ + header.p_vaddr, header.p_memsz};
      if (header.p_type == PT_GNU_RELRO) {
        read_only_ = Range{round_down(range.begin), 0};
        read_only_.bytes = round_down(range.end()) - read_only_.begin;
      } else if (header.p_type == PT_DYNAMIC) {
        read_dynamic(reinterpret_cast<const ElfW(Dyn)*>(range.begin));
      }
    }
  }

  // Calls `visit` with the name and the slot of each function that is reached through a slot, or
  // whose address is in its data.
  template <class F>
  void for_each_slot(F visit) const {
    if (symbols_ == nullptr || names_ == nullptr) return;
    for (const auto& [first, bytes] : {slots_, calls_}) {
      const auto* entries = reinterpret_cast<const ElfW(Rela)*>(first);
      for (std::size_t i = 0; entries != nullptr && i < bytes / sizeof *entries; ++i) {
        const ElfW(Rela)& entry = entries[i];
        const auto type = ELF64_R_TYPE(entry.r_info);
        if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT &&
            (type != R_X86_64_64 || entry.r_addend != 0)) {
          continue;
        }
        visit(names_ + symbols_[ELF64_R_SYM(entry.r_info)].st_name,
              reinterpret_cast<void**>(base_ + entry.r_offset));
      }
    }
  }

  // Calls `visit` with each word of its data that has a value in the file.
  template <class F>
  void for_each_word(F visit) const {
    for (int i = 0; i < info_.dlpi_phnum; ++i) {
      const ElfW(Phdr)& header = info_.dlpi_phdr[i];
      if (header.p_type != PT_LOAD || (header.p_flags & PF_W) == 0) continue;
      const Address begin = round_up(base_ + header.p_vaddr, sizeof(void*));
      const Address end = base_ + header.p_vaddr + header.p_memsz;
      for (Address at = begin; at + sizeof(void*) <= end; at += sizeof(void*))
        visit(reinterpret_cast<void**>(at));
    }
  }

  bool store(void** slot, void* value) const {
    if (*slot == value) return true;
    if (read_only_.contains(slot)) return os::store_in_read_only(slot, value);
    __atomic_store_n(slot, value, __ATOMIC_RELAXED);
    return true;
  }

 private:
  static Address round_down(Address a) { return a & ~(kPageBytes - 1); }
  // ld.so adds the base to most of these when it loads the module.
  Address absolute(Address value) const { return value < base_ ? base_ + value : value; }

  void read_dynamic(const ElfW(Dyn) * entry) {
    for (; entry->d_tag != DT_NULL; ++entry) {
      const Address value = entry->d_un.d_ptr;
      switch (entry->d_tag) {
        case DT_SYMTAB:
          symbols_ = reinterpret_cast<const ElfW(Sym)*>(absolute(value));
          break;
        case DT_STRTAB:
          names_ = reinterpret_cast<const char*>(absolute(value));
          break;
        case DT_RELA:
          slots_.begin = absolute(value);
          break;
        case DT_RELASZ:
          slots_.bytes = value;
          break;
        case DT_JMPREL:
          calls_.begin = absolute(value);
          break;
        case DT_PLTRELSZ:
          calls_.bytes = value;
          break;
        default:
          break;
      }
    }
  }

  Address base_;
  const dl_phdr_info& info_;
  Range read_only_{};  // once it is loaded
  const ElfW(Sym) * symbols_ = nullptr;
  const char* names_ = nullptr;
  Range slots_{}, calls_{};
};

Range code_of(const void* function) {
  Dl_info info{};
  void* entry = nullptr;
  if (function == nullptr || dladdr1(function, &info, &entry, RTLD_DL_SYMENT) == 0 ||
      entry == nullptr) {
    return {};
  }
  const auto* symbol = static_cast<const ElfW(Sym)*>(entry);
  return Range{reinterpret_cast<Address>(info.dli_saddr), symbol->st_size};
}

template <std::size_t kCount>
const Turn* find(const Turn (&turns)[kCount], const char* name) {
  const Turn* found = std::find_if(turns, turns + kCount, [&](const Turn& turn) {
    return turn.to != nullptr && std::strcmp(name, turn.name) == 0;
  });
  return found == turns + kCount ? nullptr : found;
}

void turn_slots(const Module& module, Kind kind) {
  module.for_each_slot([&](const char* name, void** slot) {
    if (kind == Kind::kProgram) {
      if (const Turn* ours = find(kOfProgram, name)) module.store(slot, ours->to);
    } else if (const Turn* ours = find(kFamily, name)) {
      const auto i = static_cast<std::size_t>(ours - kFamily);
      if (module.store(slot, ours->to) && kind == Kind::kLibc && i < kNeededOfLibc)
        turned_of_libc[i] = true;
    } else if (kind != Kind::kLibc) {
      if (const Turn* real = find(libcs, name)) module.store(slot, real->to);
    }
  });
}

void turn_pointers(const Module& module) {
  module.for_each_word([&](void** word) {
    for (std::size_t i = 0; i < std::size(kOfLoader); ++i) {
      if (*word == kOfLoader[i].from && module.store(word, kOfLoader[i].to))
        turned_of_loader[i] = true;
    }
  });
}

// Called with a lock of ld.so held: allocates nothing.
int turn_module(dl_phdr_info* info, std::size_t, void*) {
  const Kind kind = kind_of(info->dlpi_name != nullptr ? info->dlpi_name : "");
  if (kind == Kind::kOther) return 0;
  const Module module(*info);
  if (kind == Kind::kLoader) {
    turn_pointers(module);
  } else {
    turn_slots(module, kind);
  }
  return 0;
}

}  // namespace

void turn_library_slots() {
  if (!arena().ready()) return;
  HeapScope process;
  if (sort_code.bytes == 0) {
    for (std::size_t i = 0; i < std::size(kLibcs); ++i)
      libcs[i] = {kLibcs[i], dlsym(RTLD_NEXT, kLibcs[i])};
    // A sanitizer has a qsort_r of its own, which calls libc's. Our dlopen would come back here.
    const auto real_dlopen =
        reinterpret_cast<void* (*)(const char*, int)>(dlsym(RTLD_NEXT, "dlopen"));
    void* const libc = real_dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    sort_code = code_of(dlsym(libc != nullptr ? libc : RTLD_NEXT, "qsort_r"));
  }
  dl_iterate_phdr(turn_module, nullptr);
}

bool is_program_code(const void* address) {
  Dl_info info{};
  if (dladdr(address, &info) == 0) return false;
  // The program is known to dladdr by the name that it was started with.
  return info.dli_fname != nullptr && kind_of(info.dli_fname) == Kind::kProgram;
}

std::string unturned_library_slots() {
  std::string names;
  const auto add = [&](const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
  for (std::size_t i = 0; i < kNeededOfLibc; ++i) {
    if (!turned_of_libc[i]) add(std::string(kFamily[i].name) + " of libc");
  }
  for (std::size_t i = 0; i < std::size(kOfLoader); ++i) {
    if (!turned_of_loader[i]) add(kOfLoader[i].name);
  }
  return names;
}

LibraryGives::LibraryGives(bool gives) : saved_(library_gives) { library_gives = gives; }
LibraryGives::~LibraryGives() { library_gives = saved_; }

bool hand_over(void** block) {
  if (*block == nullptr || arena().contains(*block)) return true;
  if (current_heap == nullptr) {
    from_process(*block);
    return true;
  }
  const std::size_t bytes = malloc_usable_size(*block);
  void* copy = malloc(bytes);
  if (copy == nullptr) return false;
  std::memcpy(copy, *block, bytes);
  free(*block);
  *block = copy;
  return true;
}

void* handed_over(void* block) {
  if (hand_over(&block)) return block;
  free(block);
  return nullptr;
}

}  // namespace roam::iso
