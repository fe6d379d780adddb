#include "mpi/image/layout.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "mpi/image/relocator.h"
#include "mpi/image/reserve.h"

namespace roam::mpi {

Layout::Layout(const ModuleSet& set) : set_(set), modules_(set.count()) {
  for (std::size_t i = 0; i < set.count(); ++i) {
    lay_segments(i);
    place_thread_locals(i);
  }
  for (std::size_t i = 0; i < set.count(); ++i) Relocator(*this, i).run();
}

void Layout::lay_segments(std::size_t i) {
  const ElfFile& file = set_[i];
  ModuleLayout& m = modules_[i];
  const Address low = file.extent().begin;
  if (low != 0) file.refuse("its first segment does not begin at 0. Link it as any program is");
  m.file = &file;
  m.bytes = file.extent().bytes;
  m.alignment = file.alignment();
  m.add_begin.resize(set_.count());
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
}

// Where the dynamic linker would put them: the program's right below the thread pointer, which its
// code knows, each library's below the ones before.
void Layout::place_thread_locals(std::size_t i) {
  const ElfFile& file = set_[i];
  const Elf64_Phdr* s = file.segment(PT_TLS);
  if (s == nullptr || s->p_memsz == 0) return;
  if (s->p_filesz > s->p_memsz || s->p_vaddr > modules_[i].bytes ||
      s->p_filesz > modules_[i].bytes - s->p_vaddr)
    file.refuse("its segment of thread_local variables is damaged");
  const std::size_t alignment = std::max<std::size_t>(s->p_align, 1);
  if (alignment > kReserveAlignment) {
    file.refuse(
        text("a thread_local variable of it is to be aligned to %zu bytes; at most %zu are "
             "supported",
             alignment, kReserveAlignment));
  }
  if (s->p_memsz <= kReserveBytes)
    thread_local_bytes_ = round_up(thread_local_bytes_ + s->p_memsz, alignment);
  if (s->p_memsz > kReserveBytes || thread_local_bytes_ > kReserveBytes) {
    file.refuse(
        text("it has %llu bytes of thread_local variables, and with its libraries at most "
             "%zu are supported. Put large ones on the heap",
             static_cast<unsigned long long>(s->p_memsz), kReserveBytes));
  }
  modules_[i].thread_locals = {s->p_vaddr, s->p_filesz, s->p_memsz, thread_local_bytes_};
}

}  // namespace roam::mpi
