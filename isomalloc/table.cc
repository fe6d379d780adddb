#include "isomalloc/table.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "base/os/memory.h"
#include "base/range.h"
#include "base/text.h"
#include "roam/error.h"

namespace roam::iso {

void no_memory_for_arena(const std::string& what) {
  const int error = errno;
  rlimit limit{};
  getrlimit(RLIMIT_DATA, &limit);
  std::string cure = "Make the arena smaller with ROAM_ARENA=BASE,SIZE.";
  if (limit.rlim_cur != RLIM_INFINITY)
    cure += text(" Data is limited to %s (ulimit -d).", bytes_text(limit.rlim_cur).c_str());
  throw Error(Errc::out_of_memory,
              text("cannot %s: %s. %s", what.c_str(), std::strerror(error), cure.c_str()));
}

template <class T>
void Table<T>::map(std::size_t count, bool in_core) {
  bytes_ = round_up(count * sizeof(T), kPageBytes);
  void* entries = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (entries == MAP_FAILED)
    no_memory_for_arena(text("map %s of tables for the arena", bytes_text(bytes_).c_str()));
  entries_ = static_cast<T*>(entries);
  if (!in_core)  // up to 3 GiB, sparse
    os::exclude_from_core(Range{reinterpret_cast<Address>(entries), bytes_});
}

template <class T>
void Table<T>::wipe() {
  os::discard(Range{reinterpret_cast<Address>(entries_), bytes_}, false);
}

template <class T>
void Table<T>::unmap() {
  if (entries_ != nullptr) munmap(entries_, bytes_);
  entries_ = nullptr;
}

template class Table<std::uint8_t>;
template class Table<std::uint32_t>;
template class Table<std::uint64_t>;

}  // namespace roam::iso
