#include "runtime/net/mpi_frames.h"

#include <dlfcn.h>
#include <link.h>
#include <unwind.h>

#include <algorithm>
#include <cstdint>

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

struct Walk {
  const Files& files;
  std::uintptr_t caller;
  bool reached = false, found = false;
  int frames = 0;
};

_Unwind_Reason_Code look(_Unwind_Context* context, void* given) {
  Walk& walk = *static_cast<Walk*>(given);
  const std::uintptr_t at = _Unwind_GetIP(context);
  walk.reached = walk.reached || at == walk.caller;
  if (++walk.frames > kMostFrames) return _URC_END_OF_STACK;
  if (!walk.reached) return _URC_NO_REASON;
  if (walk.files.program.contains(at - 1)) return _URC_END_OF_STACK;
  walk.found = walk.files.mpi.contains(at - 1);
  return walk.found ? _URC_END_OF_STACK : _URC_NO_REASON;
}

}  // namespace

bool called_by_mpi(const void* caller) {
  static const Files files = find_files();
  Walk walk{files, reinterpret_cast<std::uintptr_t>(caller)};
  _Unwind_Backtrace(look, &walk);
  return walk.found;
}

}  // namespace roam::runtime
