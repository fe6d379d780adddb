#ifndef ROAM_MPI_IMAGE_RELOCATOR_H_
#define ROAM_MPI_IMAGE_RELOCATOR_H_

#include <elf.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "mpi/image/layout.h"

namespace roam::mpi {

// Applies the relocations of one module to its layout. Errors: Refusal.
class Relocator {
 public:
  Relocator(Layout& layout, std::size_t module)
      : layout_(layout), module_(module), to_(layout.modules_[module]), file_(*to_.file) {}
  void run();

 private:
  struct Place {  // what a symbol stands for
    std::size_t module = Layout::kProcess;
    std::uint64_t value = 0;  // offset in the module, or an address
    std::size_t bytes = 0;    // 0: not known
    bool thread_local_ = false;
    bool function_chooses = false;  // STT_GNU_IFUNC of a module
  };

  void relative(std::span<const Elf64_Relr> relocations);
  void apply(const Elf64_Rela& r);
  void apply_thread_local(const Elf64_Rela& r, unsigned type);
  void copy(const Elf64_Rela& r);
  Place place_of(std::uint32_t symbol, bool skip_program = false) const;
  Place defined_in(std::size_t module, std::uint32_t symbol) const;
  Place the_one(std::size_t module, std::uint32_t symbol, const std::string& name,
                const std::string& version) const;
  void relocate_dynamic_section();
  // What is stored there of a variable; null: nothing.
  std::uint64_t* find_word(std::uint64_t offset);
  std::uint64_t* word(std::uint64_t offset);
  void set(std::uint64_t offset, const Place& place, std::int64_t addend);

  Layout& layout_;
  std::size_t module_;
  ModuleLayout& to_;
  const ElfFile& file_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_RELOCATOR_H_
