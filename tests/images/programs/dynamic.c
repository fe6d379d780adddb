/* What a program finds of itself by its dynamic section, as what puts functions in the place of
 * others does it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "turns.h"

struct found {
  const ElfW(Dyn)* section;
  uintptr_t begin;
};

static int take_first(struct dl_phdr_info* info, size_t bytes, void* to) {
  struct found* found = to;
  int i;
  (void)bytes;
  for (i = 0; i < info->dlpi_phnum; ++i) {
    if (info->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    found->begin = info->dlpi_addr;
    found->section = (const ElfW(Dyn)*)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
  }
  return 1;
}
static uintptr_t value_of(const ElfW(Dyn)* section, ElfW(Sxword) tag) {
  for (; section->d_tag != DT_NULL; ++section) {
    if (section->d_tag == tag) return section->d_un.d_ptr;
  }
  return 0;
}
static int binds_now(const ElfW(Dyn)* section) {
  return (value_of(section, DT_FLAGS) & DF_BIND_NOW) != 0 || (value_of(section, DT_FLAGS_1) & DF_1_NOW) != 0;
}

static int asked;
static int count_instead(void) { return ++asked; }

/* The address of the slot by which the module calls that name. */
static void** slot_of(uintptr_t begin, const ElfW(Dyn)* section, const char* name) {
  const char* names = (const char*)value_of(section, DT_STRTAB);
  const ElfW(Sym)* symbols = (const ElfW(Sym)*)value_of(section, DT_SYMTAB);
  const ElfW(Rela)* all = (const ElfW(Rela)*)value_of(section, DT_JMPREL);
  const size_t count = value_of(section, DT_PLTRELSZ) / sizeof *all;
  size_t i;
  for (i = 0; i < count; ++i) {
    if (strcmp(names + symbols[ELF64_R_SYM(all[i].r_info)].st_name, name) == 0)
      return (void**)(begin + all[i].r_offset);
  }
  return NULL;
}

static void look(const char* how, uintptr_t begin, const ElfW(Dyn)* section) {
  const ElfW(Half)* versions = (const ElfW(Half)*)value_of(section, DT_VERSYM);
  const uint32_t* hashes = (const uint32_t*)value_of(section, DT_GNU_HASH);
  const ElfW(Rela)* all = (const ElfW(Rela)*)value_of(section, DT_RELA);
  const ElfW(Addr)* table = (const ElfW(Addr)*)value_of(section, DT_PLTGOT);
  void** slot = slot_of(begin, section, "getppid");
  printf("%d: %s: hash %d, versions %d, relocations %d, table %d, slot %d\n", my_number(), how,
         hashes != NULL && hashes[0] != 0, versions != NULL && versions[0] == 0,
         all != NULL && all[0].r_offset != 0, table != NULL && table[0] == (uintptr_t)section - begin,
         slot != NULL);
  printf("%d: %s: not an address: %d\n", my_number(), how,
         value_of(section, DT_INIT) < 100000000 && value_of(section, DT_FINI) < 100000000);
  if (slot != NULL && !binds_now(section)) {
    void* before = *slot;
    *slot = (void*)count_instead;
    take_turn();
    (void)getppid();
    *slot = before;
  }
}

int main(void) {
  struct found found = {NULL, 0};
  const struct link_map* map = NULL;
  dl_iterate_phdr(take_first, &found);
  look("by the segments", found.begin, found.section);
  take_turn();
  look("by the own name", found.begin, _DYNAMIC);
  take_turn();
  if (dlinfo(dlopen(NULL, RTLD_NOW), RTLD_DI_LINKMAP, &map) == 0) {
    printf("%d: the same %d\n", my_number(), map->l_ld == found.section && map->l_addr == found.begin);
    look("by the map", map->l_addr, map->l_ld);
  }
  printf("%d: asked %d\n", my_number(), binds_now(found.section) ? 3 : asked);
  return 0;
}
