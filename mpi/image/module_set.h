#ifndef ROAM_MPI_IMAGE_MODULE_SET_H_
#define ROAM_MPI_IMAGE_MODULE_SET_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mpi/image/elf_file.h"

namespace roam::mpi {

// Those that are the process's, but for who says otherwise.
inline constexpr std::string_view kProcessLibraries[] = {
    "libc.so.6",  "ld-linux-x86-64.so.2", "libanl.so.1",     "libdl.so.2",       "libgcc_s.so.1",
    "libm.so.6",  "libmvec.so.1",         "libpthread.so.0", "libquadmath.so.0", "libresolv.so.2",
    "librt.so.1", "libutil.so.1",
};

// Which libraries each virtual rank has for itself, and which are the process's.
//
// The process's are those of libc and the dynamic linker, which keep the kernel's view of it, and
// libgcc_s, which keeps nothing; and libquadmath, which has libc's printf call it. All others are
// private, since nobody knows what they keep: streams and locales (libstdc++), units and random
// numbers (libgfortran).
struct LibraryRule {
  std::vector<std::string> made_private, made_shared;  // by the user: names such as libfoo.so.1
  std::vector<std::string> preloaded;  // looked up next to the program; names or paths

  bool is_shared(std::string_view name) const;
};

// A program and its private libraries, each once however it is named, in the order in which names
// are looked up: the program, what it needs, what those need.
class ModuleSet {
 public:
  // Reads and checks all of them, and has the dynamic linker load those that are shared.
  // Errors: Refusal.
  ModuleSet(const std::string& program, const LibraryRule& rule);

  std::size_t count() const { return files_.size(); }
  const ElfFile& operator[](std::size_t i) const { return *files_[i]; }
  const ElfFile& program() const { return *files_[0]; }
  // Modules in the order in which they begin, the dynamic linker's: each after those that it needs,
  // and else the last one first. They end the other way round.
  const std::vector<std::size_t>& initial_order() const { return initial_order_; }
  const LibraryRule& rule() const { return rule_; }

  // Where names are looked up, one after the other, as the dynamic linker does it: modules in the
  // order of their numbers, and between them libraries of the process where they are first needed.
  struct LookUp {
    std::size_t module = 0;
    std::string shared, path;  // name and what it is loaded by; empty: it is a module
    bool is_shared() const { return !shared.empty(); }
  };
  const std::vector<LookUp>& look_ups() const { return look_ups_; }

  // By a name under which it was needed, or calls itself; count(): it is none of them.
  std::size_t index_of(std::string_view name) const;
  // The module, who needed it first, and so on to the program.
  std::vector<const ElfFile*> chain_of(std::size_t i) const;

 private:
  void add_needed(std::size_t by, const std::string& name);
  void add_file(std::unique_ptr<ElfFile> file, std::size_t by);
  void note_shared(std::string_view name, const std::string& path);
  void order_from(std::size_t i, std::vector<bool>* seen);

  LibraryRule rule_;
  std::vector<std::unique_ptr<ElfFile>> files_;
  std::vector<std::size_t> needed_by_;  // who needed it first
  std::map<std::string, std::size_t, std::less<>> names_;
  std::vector<LookUp> look_ups_;
  std::vector<std::size_t> initial_order_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_MODULE_SET_H_
