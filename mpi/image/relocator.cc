#include "mpi/image/relocator.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "base/text.h"
#include "mpi/image/checks.h"
#include "mpi/image/process_symbols.h"
#include "mpi/image/reserve.h"

namespace roam::mpi {
namespace {

constexpr ElfFile::Asks kInCode = ElfFile::Asks::kInCode;

}  // namespace

void Relocator::run() {
  relative(file_.table<Elf64_Relr>(DT_RELR, DT_RELRSZ));
  for (const Elf64_Rela& r : file_.table<Elf64_Rela>(DT_RELA, DT_RELASZ)) apply(r);
  if (file_.value(DT_PLTREL, DT_RELA) != DT_RELA) file_.refuse("its jump table is of another kind");
  for (const Elf64_Rela& r : file_.table<Elf64_Rela>(DT_JMPREL, DT_PLTRELSZ)) apply(r);
  relocate_dynamic_section();
}

// The dynamic linker makes addresses of these where programs look at them (l_ld of link_map), and
// of no others; of several of one tag, the last. Source: glibc, elf/get-dynamic-info.h.
void Relocator::relocate_dynamic_section() {
  constexpr std::int64_t kAddresses[] = {DT_HASH, DT_PLTGOT, DT_STRTAB, DT_SYMTAB,
                                         DT_RELA, DT_JMPREL, DT_VERSYM, DT_GNU_HASH};
  const Elf64_Phdr* segment = file_.segment(PT_DYNAMIC);
  if (segment == nullptr || (segment->p_flags & PF_W) == 0) return;
  const auto entries = file_.at<Elf64_Dyn>(segment->p_vaddr, segment->p_filesz / sizeof(Elf64_Dyn),
                                           "the dynamic section");
  const auto end = std::find_if(entries.begin(), entries.end(),
                                [](const Elf64_Dyn& d) { return d.d_tag == DT_NULL; });
  for (const std::int64_t tag : kAddresses) {
    auto last = end;
    for (auto entry = entries.begin(); entry != end; ++entry) {
      if (entry->d_tag == tag) last = entry;
    }
    if (last == end) continue;
    const std::uint64_t offset = segment->p_vaddr +
                                 static_cast<std::uint64_t>(last - entries.begin()) * sizeof *last +
                                 offsetof(Elf64_Dyn, d_un);
    if (find_word(offset) != nullptr)
      to_.add_begin[module_].push_back(static_cast<std::uint32_t>(offset));
  }
}

std::uint64_t* Relocator::find_word(std::uint64_t offset) {
  for (ModuleLayout::Data& d : to_.datas) {
    if (offset < d.offset || offset - d.offset > d.bytes.size() ||
        d.bytes.size() - (offset - d.offset) < sizeof(std::uint64_t))
      continue;
    return reinterpret_cast<std::uint64_t*>(d.bytes.data() + (offset - d.offset));
  }
  return nullptr;
}

std::uint64_t* Relocator::word(std::uint64_t offset) {
  if (std::uint64_t* found = find_word(offset)) return found;
  file_.refuse(
      text("a relocation at 0x%llx is in code or constants, which have to be shared. "
           "Compile all of it with -fPIC or -fPIE",
           static_cast<unsigned long long>(offset)));
}

// An even entry is the address of a word; an odd one a bit each for the 63 words behind.
void Relocator::relative(std::span<const Elf64_Relr> relocations) {
  std::uint64_t next = 0;
  const auto add = [&](std::uint64_t offset) {
    word(offset);
    to_.add_begin[module_].push_back(static_cast<std::uint32_t>(offset));
  };
  for (const Elf64_Relr entry : relocations) {
    if ((entry & 1) == 0) {
      add(entry);
      next = entry + 8;
      continue;
    }
    for (unsigned bit = 1; bit < 64; ++bit) {
      if ((entry >> bit & 1) != 0) add(next + (bit - 1) * 8);
    }
    next += 63 * 8;
  }
}

void Relocator::set(std::uint64_t offset, const Place& place, std::int64_t addend) {
  std::uint64_t value = place.value + static_cast<std::uint64_t>(addend);
  std::memcpy(word(offset), &value, sizeof value);
  const auto at = static_cast<std::uint32_t>(offset);
  if (place.function_chooses) {
    to_.chosen.push_back({at, place.module, value});
  } else if (place.module == Layout::kOwnVariables) {
    to_.add_begin.back().push_back(at);
  } else if (place.module != Layout::kProcess) {
    to_.add_begin[place.module].push_back(at);
  }
}

void Relocator::apply(const Elf64_Rela& r) {
  const auto type = static_cast<unsigned>(ELF64_R_TYPE(r.r_info));
  const auto symbol = static_cast<std::uint32_t>(ELF64_R_SYM(r.r_info));
  switch (type) {
    case R_X86_64_NONE:
      return;
    case R_X86_64_RELATIVE:
      return set(r.r_offset, {.module = module_}, r.r_addend);
    case R_X86_64_64:
      return set(r.r_offset, place_of(symbol), r.r_addend);
    case R_X86_64_GLOB_DAT:
    case R_X86_64_JUMP_SLOT:
      return set(r.r_offset, place_of(symbol), 0);
    case R_X86_64_IRELATIVE:
      return set(r.r_offset, {.module = module_, .function_chooses = true}, r.r_addend);
    case R_X86_64_COPY:
      return copy(r);
    case R_X86_64_DTPMOD64:
    case R_X86_64_DTPOFF64:
    case R_X86_64_TPOFF64:
      return apply_thread_local(r, type);
    case R_X86_64_TLSDESC:
      file_.refuse(
          "it reaches thread_local variables by descriptors. Build it without "
          "-mtls-dialect=gnu2");
    default:
      file_.refuse(text("it has a relocation of type %u, which is not supported", type));
  }
}

// Each module's lie at one place below the thread pointer: so what names the module to our own
// __tls_get_addr is the address where they begin. One of a shared library is found by its address,
// which no switch changes.
void Relocator::apply_thread_local(const Elf64_Rela& r, unsigned type) {
  const auto symbol = static_cast<std::uint32_t>(ELF64_R_SYM(r.r_info));
  const auto pointer = reinterpret_cast<std::uint64_t>(reserve_end());
  Place place{.module = module_, .thread_local_ = true};
  if (symbol != 0) place = place_of(symbol);
  const bool of_process = place.module == Layout::kProcess;
  if (!of_process && !place.thread_local_) {
    file_.refuse(text("%s is thread_local in one part of it and not in another",
                      std::string(file_.string(file_.symbol(symbol).st_name)).c_str()));
  }
  const std::uint64_t begin =
      of_process ? 0 : pointer - layout_.modules_[place.module].thread_locals.below;
  std::uint64_t value = begin;
  if (type != R_X86_64_DTPMOD64) value = place.value + static_cast<std::uint64_t>(r.r_addend);
  if (type == R_X86_64_TPOFF64) value += begin - pointer;
  std::memcpy(word(r.r_offset), &value, sizeof value);
}

void Relocator::copy(const Elf64_Rela& r) {
  const auto index = static_cast<std::uint32_t>(ELF64_R_SYM(r.r_info));
  const std::string name(file_.string(file_.symbol(index).st_name));
  const std::size_t wanted = file_.symbol(index).st_size;
  if (const auto own = libc_variable(name); own.has_value()) {
    const Layout::Variable& v = layout_.variable(*own);
    if (v.fresh && v.module == module_ && v.offset == r.r_offset) return;  // the image's own
  }
  const Place place = place_of(index, true);
  // MPI_UNWEIGHTED, MPIR_F08_...: nobody stores in them.
  if (place.module == Layout::kProcess && !name.starts_with("MPI") && !is_variable_of_all(name)) {
    file_.refuse(
        text("it has a copy of the variable %s of a library of the process, which would "
             "not see what the program stores in it. Compile it with -fPIE and "
             "-mno-direct-extern-access, or without use of %s",
             name.c_str(), name.c_str()));
  }
  const std::size_t bytes = place.bytes != 0 ? std::min(wanted, place.bytes) : wanted;
  if (r.r_offset > to_.bytes || bytes > to_.bytes - r.r_offset)
    file_.refuse(text("the copy of %s is damaged", name.c_str()));
  to_.copies.push_back({static_cast<std::uint32_t>(r.r_offset), bytes, place.module, place.value});
}

Relocator::Place Relocator::defined_in(std::size_t module, std::uint32_t symbol) const {
  const Elf64_Sym& s = layout_.modules_[module].file->symbol(symbol);
  const unsigned type = ELF64_ST_TYPE(s.st_info);
  return {.module = s.st_shndx == SHN_ABS ? Layout::kProcess : module,
          .value = s.st_value,
          .bytes = s.st_size,
          .thread_local_ = type == STT_TLS,
          .function_chooses = type == STT_GNU_IFUNC};
}

// What is one in a process, whoever was loaded where nobody looks (STB_GNU_UNIQUE), is the first
// that was loaded.
Relocator::Place Relocator::the_one(std::size_t module, std::uint32_t symbol,
                                    const std::string& name, const std::string& version) const {
  const auto is_unique = [&](std::size_t i, std::uint32_t index) {
    return ELF64_ST_BIND(layout_.modules_[i].file->symbol(index).st_info) == STB_GNU_UNIQUE;
  };
  if (!is_unique(module, symbol)) return defined_in(module, symbol);
  Layout::Extension* const extension = layout_.extension_;
  const std::size_t loaded =
      extension != nullptr ? extension->loaded.size() : layout_.modules_.size();
  for (std::size_t n = 0; n < loaded; ++n) {
    const std::size_t i = extension != nullptr ? extension->loaded[n] : n;
    const std::uint32_t found = layout_.modules_[i].file->find(name, version, kInCode);
    if (found == 0 || !is_unique(i, found)) continue;
    module = i;
    symbol = found;
    break;
  }
  if (extension != nullptr) extension->kept.push_back(module);
  return defined_in(module, symbol);
}

// The order of look-ups is the dynamic linker's, but for what the launcher needs for itself and for
// variables of libc: a private library's, wherever it is, is that of all, and else the image's own.
Relocator::Place Relocator::place_of(std::uint32_t symbol, bool skip_program) const {
  if (symbol == 0) return {};
  const Elf64_Sym& s = file_.symbol(symbol);
  const bool is_local = ELF64_ST_BIND(s.st_info) == STB_LOCAL;
  if (is_local || (s.st_shndx != SHN_UNDEF && ELF64_ST_VISIBILITY(s.st_other) != STV_DEFAULT))
    return defined_in(module_, symbol);
  const std::string name(file_.string(s.st_name));
  std::string version(file_.version_of(symbol));
  check_reference(file_, name);
  if (file_.has(DT_SYMBOLIC) || (file_.value(DT_FLAGS) & DF_SYMBOLIC) != 0) {
    if (const std::uint32_t found = file_.find(name, version, kInCode); found != 0)
      return the_one(module_, found, name, version);
  }
  const auto own = libc_variable(name);
  const bool alone = is_launchers_alone(name);
  for (const Layout::LookUp& l : layout_.scope_) {
    if (alone && l.module != 0) break;
    if (skip_program && l.module == 0) continue;
    const std::uint32_t found = l.file->find(name, version, kInCode);
    if (found == 0) continue;
    if (l.module != Layout::kProcess) return the_one(l.module, found, name, version);
    if (version.empty()) version = l.file->version_of(found);  // not the newest
    if (!own.has_value()) break;
  }
  if (const void* ours = launcher_call(name); ours != nullptr)
    return {.value = reinterpret_cast<std::uint64_t>(ours)};
  if (own.has_value()) {
    const Layout::Variable& v = layout_.variable(*own);
    return {.module = v.module, .value = v.offset};
  }
  if (const void* found = process_symbol(name, version); found != nullptr) {
    check_process_reference(file_, name);
    if (!skip_program && !is_variable_of_all(name) && is_variable_of_libc(found)) {
      file_.refuse(
          text("it uses the variable %s of libc, which is the process's: what one virtual rank "
               "stores in it, all would have. Build it without use of %s",
               name.c_str(), name.c_str()));
    }
    return {.value = reinterpret_cast<std::uint64_t>(found)};
  }
  if (ELF64_ST_BIND(s.st_info) == STB_WEAK) return {};
  file_.refuse(
      text("it needs %s%s%s, which none of its libraries has. Build it on this machine, or "
           "set LD_LIBRARY_PATH to where the library is",
           name.c_str(), version.empty() ? "" : ", version ", version.c_str()));
}

}  // namespace roam::mpi
