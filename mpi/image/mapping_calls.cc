// Mappings, of the process: a virtual rank stays while it has any. The functions that see to it are
// hidden from the dynamic linker (isomalloc/mapping_calls.cc), so programs do not find them by
// name.

#include <sys/mman.h>
#include <sys/shm.h>

#include <cerrno>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

void* map(void* at, std::size_t bytes, int protection, int flags, int descriptor, off_t offset) {
  if ((flags & MAP_ANONYMOUS) != 0 || Image::running()->descriptors().may_use(descriptor))
    return ::mmap(at, bytes, protection, flags, descriptor, offset);
  errno = EBADF;
  return MAP_FAILED;
}

}  // namespace

void add_mapping_calls() {
  for (const char* name : {"mmap", "mmap64"}) add_launcher_call(name, &map);
  add_launcher_call("munmap", &::munmap);
  add_launcher_call("mremap", reinterpret_cast<const void*>(&::mremap));
  add_launcher_call("mprotect", &::mprotect);
  add_launcher_call("shmat", &::shmat);
  add_launcher_call("shmdt", &::shmdt);
}

}  // namespace roam::mpi
