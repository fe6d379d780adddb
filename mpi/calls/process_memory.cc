#include "mpi/calls/process_memory.h"

#include <link.h>

#include <cstddef>
#include <cstdint>

namespace roam::mpi {
namespace {

// Programs' thread_local variables are in the launcher's block of them (mpi/image/reserve.h).
int look_into(dl_phdr_info* module, std::size_t, void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (int i = 0; i < module->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = module->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD && segment.p_type != PT_TLS) continue;
    const std::uintptr_t begin = segment.p_type == PT_LOAD
                                     ? module->dlpi_addr + segment.p_vaddr
                                     : reinterpret_cast<std::uintptr_t>(module->dlpi_tls_data);
    if (begin != 0 && at - begin < segment.p_memsz) return 1;
  }
  return 0;
}

}  // namespace

bool is_of_process(const void* address) {
  return dl_iterate_phdr(look_into, const_cast<void*>(address)) != 0;
}

}  // namespace roam::mpi
