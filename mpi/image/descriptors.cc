#include "mpi/image/descriptors.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "isomalloc/process_call.h"

namespace roam::mpi {
namespace {

// Stands for the descriptor among objects that pin: no object lies there.
const void* object_of(int descriptor) {
  return reinterpret_cast<const void*>(static_cast<std::uintptr_t>(descriptor));
}

}  // namespace

int Descriptors::opened(int descriptor) {
  if (descriptor <= STDERR_FILENO) return descriptor;
  const int error = errno;
  forget(descriptor);  // dup2 over one of its own
  open_.push_back(descriptor);
  iso::Heap* caller = iso::current_heap;
  const iso::HeapScope process;
  iso::opened(object_of(descriptor), "file descriptor", caller);
  errno = error;
  return descriptor;
}

bool Descriptors::forget(int descriptor) {
  const auto found = std::find(open_.begin(), open_.end(), descriptor);
  if (found == open_.end()) return false;
  open_.erase(found);
  const iso::HeapScope process;
  iso::closed(object_of(descriptor));
  return true;
}

// The standard ones are those of the process: other virtual ranks use them.
int Descriptors::close(int descriptor) {
  if (descriptor >= 0 && descriptor <= STDERR_FILENO) return 0;
  forget(descriptor);
  return ::close(descriptor);
}

void Descriptors::close_all() {
  while (!open_.empty()) close(open_.back());
}

}  // namespace roam::mpi
