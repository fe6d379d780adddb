#include "mpi/image/layout.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "mpi/image/process_symbols.h"
#include "mpi/image/relocator.h"
#include "mpi/image/reserve.h"

namespace roam::mpi {

namespace {

ModuleLayout::ThreadLocals thread_locals_of(const ElfFile& file, std::size_t bytes_of_module) {
  const Elf64_Phdr* s = file.segment(PT_TLS);
  if (s == nullptr || s->p_memsz == 0) return {};
  if (s->p_filesz > s->p_memsz || s->p_vaddr > bytes_of_module ||
      s->p_filesz > bytes_of_module - s->p_vaddr)
    file.refuse("its segment of thread_local variables is damaged");
  const std::size_t alignment = std::max<std::size_t>(s->p_align, 1);
  if (alignment > kReserveAlignment) {
    file.refuse(
        text("a thread_local variable of it is to be aligned to %zu bytes; at most %zu are "
             "supported",
             alignment, kReserveAlignment));
  }
  return {s->p_vaddr, s->p_filesz, s->p_memsz, 0, alignment};
}

}  // namespace

Layout::Layout(const ModuleSet& set) : set_(set), modules_(set.count()) {
  for (std::size_t i = 0; i < set.count(); ++i) {
    modules_[i] = segments_of(set[i]);
    modules_[i].add_begin.resize(set.count() + 1);
    place_thread_locals(i);
  }
  for (const ModuleSet::LookUp& l : set.look_ups()) {
    if (!l.is_shared()) scope_.push_back({l.module, &set[l.module]});
    if (const ElfFile* of_process = l.is_shared() ? process_library(l.path) : nullptr)
      scope_.push_back({kProcess, of_process});
  }
  place_libc_variables();
  for (std::size_t i = 0; i < set.count(); ++i) Relocator(*this, i).run();
}

Layout::Layout(const Layout& base, Extension* extension)
    : set_(base.set_),
      extension_(extension),
      scope_(extension->scope),
      modules_(std::move(extension->modules)),
      variables_(base.variables_) {
  for (const std::size_t i : extension->fresh) {
    modules_[i].add_begin.resize(modules_.size() + 1);
    Relocator(*this, i).run();
  }
  extension_ = nullptr;
}

ModuleLayout segments_of(const ElfFile& file) {
  ModuleLayout m;
  const Address low = file.extent().begin;
  if (low != 0) file.refuse("its first segment does not begin at 0. Link it as any program is");
  m.file = &file;
  m.bytes = file.extent().bytes;
  m.alignment = file.alignment();
  for (const Elf64_Phdr& s : file.segments()) {
    if (s.p_type == PT_GNU_EH_FRAME) m.unwind_table = s.p_vaddr;
    if (s.p_type != PT_LOAD || s.p_memsz == 0) continue;
    if ((s.p_flags & PF_W) != 0) {
      const auto bytes = file.at<char>(s.p_vaddr, s.p_filesz, "a segment");
      m.datas.push_back({s.p_vaddr, {bytes.begin(), bytes.end()}});
      continue;
    }
    const std::size_t begin = round_down(s.p_vaddr, kPageBytes);
    const ModuleLayout::Text text{begin, round_up(s.p_vaddr + s.p_memsz, kPageBytes) - begin,
                                  round_down(s.p_offset, kPageBytes)};
    ModuleLayout::Text* last = m.texts.empty() ? nullptr : &m.texts.back();
    const bool goes_on = last != nullptr && text.offset == last->offset + last->bytes &&
                         text.file_offset == last->file_offset + last->bytes;
    if (goes_on) {
      last->bytes += text.bytes;  // one mapping of both
    } else {
      m.texts.push_back(text);
    }
  }
  m.init_function = file.value(DT_INIT);
  m.fini_function = file.value(DT_FINI);
  m.preinit = {file.value(DT_PREINIT_ARRAY), file.value(DT_PREINIT_ARRAYSZ)};
  m.init = {file.value(DT_INIT_ARRAY), file.value(DT_INIT_ARRAYSZ)};
  m.fini = {file.value(DT_FINI_ARRAY), file.value(DT_FINI_ARRAYSZ)};
  for (const Range functions : {m.preinit, m.init, m.fini}) {
    if (functions.begin > m.bytes || functions.bytes > m.bytes - functions.begin)
      file.refuse("its table of initial or final functions is damaged");
  }
  m.thread_locals = thread_locals_of(file, m.bytes);
  return m;
}

void Layout::place_libc_variables() {
  for (std::size_t i = 0; i < kLibcVariables; ++i)
    variables_[i] = place_of(static_cast<LibcVariable>(i));
}

// As libc would find it: a copy in the program under any of its names, or who defines the name by
// which libc goes.
Layout::Variable Layout::place_of(LibcVariable v) const {
  const auto names = names_of(v);
  const auto defined = [&](std::size_t module) -> const Elf64_Sym* {
    const std::uint32_t found = set_[module].find(names[0], {});
    if (found == 0 || ELF64_ST_TYPE(set_[module].symbol(found).st_info) != STT_OBJECT)
      return nullptr;
    return &set_[module].symbol(found);
  };
  std::size_t by_library = 1;
  while (by_library < set_.count() && defined(by_library) == nullptr) ++by_library;
  const bool is_libcs = by_library == set_.count();
  const auto check_room = [&](std::size_t module, std::size_t offset, std::size_t bytes) {
    const std::size_t all = modules_[module].bytes;
    if (offset > all || std::max(bytes, bytes_of(v)) > all - offset)
      set_[module].refuse(text("its %s is damaged", std::string(names[0]).c_str()));
  };
  const ElfFile& program = set_.program();
  for (const Elf64_Rela& r : program.table<Elf64_Rela>(DT_RELA, DT_RELASZ)) {
    if (ELF64_R_TYPE(r.r_info) != R_X86_64_COPY) continue;
    const Elf64_Sym& s = program.symbol(static_cast<std::uint32_t>(ELF64_R_SYM(r.r_info)));
    if (std::find(names.begin(), names.end(), program.string(s.st_name)) == names.end()) continue;
    check_room(0, r.r_offset, s.st_size);
    return {0, r.r_offset, is_libcs};
  }
  const std::size_t by = defined(0) != nullptr ? 0 : by_library;
  if (by != set_.count()) {
    check_room(by, defined(by)->st_value, defined(by)->st_size);
    return {by, defined(by)->st_value, false};
  }
  return {kOwnVariables, static_cast<std::size_t>(v) * kLibcVariableBytes, true};
}

// Where the dynamic linker would put them: the program's right below the thread pointer, which its
// code knows, each library's below the ones before.
void Layout::place_thread_locals(std::size_t i) {
  ModuleLayout::ThreadLocals& t = modules_[i].thread_locals;
  if (t.bytes == 0) return;
  if (t.bytes <= kReserveBytes)
    thread_local_bytes_ = round_up(thread_local_bytes_ + t.bytes, t.alignment);
  if (t.bytes > kReserveBytes || thread_local_bytes_ > kReserveBytes) {
    set_[i].refuse(
        text("it has %zu bytes of thread_local variables, and with its libraries at most "
             "%zu are supported. Put large ones on the heap",
             t.bytes, kReserveBytes));
  }
  t.below = thread_local_bytes_;
}

}  // namespace roam::mpi
