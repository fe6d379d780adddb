#ifndef ROAM_MPI_IMAGE_LAYOUT_H_
#define ROAM_MPI_IMAGE_LAYOUT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/range.h"
#include "mpi/image/libc_variables.h"
#include "mpi/image/module_set.h"

namespace roam::mpi {

// How images of a program are laid: all that is the same for each of them, worked out once a
// process. Offsets are in the module, from where its image begins.
struct ModuleLayout {
  const ElfFile* file;
  std::size_t bytes;      // from the beginning to the end of what is loaded
  std::size_t alignment;  // of the beginning
  // Constants and code: pages of the file that are mapped.
  struct Text {
    std::size_t offset, bytes;
    std::uint64_t file_offset;
  };
  std::vector<Text> texts;
  // What is stored of the variables, with every relocation applied but for addresses of modules.
  struct Data {
    std::size_t offset;
    std::vector<char> bytes;
  };
  std::vector<Data> datas;
  // To words at these offsets the address is added where a module begins; by module, and last where
  // the variables of libc lie that the program has no copy of.
  std::vector<std::vector<std::uint32_t>> add_begin;
  // A word is what a function of a module says, once all else is in place.
  struct Chosen {
    std::uint32_t offset;
    std::size_t module;
    std::uint64_t function;
  };
  std::vector<Chosen> chosen;
  // Variables of libraries that the program has a copy of.
  struct Copy {
    std::uint32_t offset;
    std::size_t bytes;
    std::size_t module;    // that has it, or kProcess
    std::uint64_t source;  // offset there, or address
  };
  std::vector<Copy> copies;
  // Initial thread-locals: at `offset` in the module, below the thread pointer by `below`.
  struct ThreadLocals {
    std::size_t offset = 0, stored = 0, bytes = 0, below = 0, alignment = 1;
  };
  ThreadLocals thread_locals;
  std::size_t unwind_table = 0;  // PT_GNU_EH_FRAME; 0: none
  // Functions to be called first and last, by offset of the word that has their address, or of the
  // function (DT_INIT, DT_FINI; 0: none).
  Range preinit, init, fini;
  std::size_t init_function = 0, fini_function = 0;
};

// What the file alone says of it: all but relocations, and the place of thread-locals. Errors:
// Refusal.
ModuleLayout segments_of(const ElfFile& file);

class Layout {
 public:
  // In place of the number of a module: the process, and the variables of libc of the image.
  static constexpr std::size_t kProcess = SIZE_MAX, kOwnVariables = SIZE_MAX - 1;
  struct Variable {
    std::size_t module;  // or kOwnVariables
    std::uint64_t offset;
    bool fresh;  // its value at first is libc's; else its definition says it
  };

  struct LookUp {
    std::size_t module;  // or kProcess
    const ElfFile* file;
  };

  // Errors: Refusal: a relocation that cannot be applied, a name that nobody defines, more
  // thread-locals than there is room for.
  explicit Layout(const ModuleSet& set);

  // That of an image whose program opens libraries while it runs, of which those of numbers
  // `fresh` are relocated here. `base` is the program's; `modules` are the image's by number, of
  // which the others have their file and the place of their thread-locals. Names are looked up in
  // the order of `scope`; those that are one in a process (STB_GNU_UNIQUE), in all of `loaded`.
  struct Extension {
    std::vector<ModuleLayout> modules;
    std::vector<std::size_t> fresh, loaded;
    std::vector<LookUp> scope;
    std::vector<std::size_t> kept;  // said here: those that may not be closed any more
  };
  Layout(const Layout& base, Extension* extension);

  const ModuleSet& set() const { return set_; }
  const std::vector<ModuleLayout>& modules() const { return modules_; }
  std::size_t thread_local_bytes() const { return thread_local_bytes_; }
  const Variable& variable(LibcVariable v) const { return variables_[static_cast<std::size_t>(v)]; }

 private:
  friend class Relocator;
  void place_libc_variables();
  Variable place_of(LibcVariable v) const;
  void place_thread_locals(std::size_t i);

  const ModuleSet& set_;
  Extension* extension_ = nullptr;  // while it is made
  std::vector<LookUp> scope_;
  std::vector<ModuleLayout> modules_;
  std::size_t thread_local_bytes_ = 0;
  std::array<Variable, kLibcVariables> variables_{};
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_LAYOUT_H_
