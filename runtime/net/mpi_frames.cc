#include "runtime/net/mpi_frames.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdint>

#include "base/os/callers.h"

namespace roam::runtime {
namespace {

constexpr int kMostFrames = 200;

// Where a file of the process lies.
struct Extent {
  std::uintptr_t begin = 0, end = 0;
  bool contains(std::uintptr_t at) const { return at >= begin && at < end; }
};

Extent extent_of(const dl_phdr_info& file) {
  Extent extent{UINTPTR_MAX, 0};
  for (int i = 0; i < file.dlpi_phnum; ++i) {
    const auto& part = file.dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    extent.begin = std::min<std::uintptr_t>(extent.begin, file.dlpi_addr + part.p_vaddr);
    extent.end = std::max<std::uintptr_t>(extent.end, file.dlpi_addr + part.p_vaddr + part.p_memsz);
  }
  return extent;
}

// The program's own file comes first.
struct Files {
  std::uintptr_t in_mpi = 0;
  bool first = true;
  Extent program, mpi;

  static int add(dl_phdr_info* file, std::size_t, void* given) {
    Files& files = *static_cast<Files*>(given);
    const Extent extent = extent_of(*file);
    if (files.first) files.program = extent;
    files.first = false;
    if (extent.contains(files.in_mpi)) files.mpi = extent;
    return 0;
  }
};

// The name that no tool which stands before MPI defines.
Files find_files() {
  Files files;
  files.in_mpi = reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, "PMPI_Init"));
  dl_iterate_phdr(Files::add, &files);
  return files;
}

}  // namespace

bool called_by_mpi(const void* caller) {
  static const Files files = find_files();
  bool reached = false, found = false;
  os::for_each_caller(kMostFrames, [&](std::uintptr_t at, bool) {
    reached = reached || at == reinterpret_cast<std::uintptr_t>(caller);
    if (!reached) return true;
    if (files.program.contains(at - 1)) return false;
    found = files.mpi.contains(at - 1);
    return !found;
  });
  return found;
}

}  // namespace roam::runtime
