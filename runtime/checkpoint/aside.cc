#include "runtime/checkpoint/aside.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/os/memory.h"
#include "base/os/memory_left.h"

namespace roam::runtime {
namespace {

// What it has pages for: it is written from its begin, and cut to the length of its last piece.
std::uint64_t bytes_of(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

constexpr std::uint64_t kRoomBytes = std::uint64_t{4} << 20;

}  // namespace

void Aside::give_back(const Object& object) {
  if (object.mapped.bytes != 0) munmap(object.mapped.pointer(), object.mapped.bytes);
  close(object.fd);
}

void Aside::clear() {
  for (const Object& object : objects_) give_back(object);
  objects_.clear();
}

Aside::Mapped Aside::map(int fd, std::uint64_t bytes) {
  const auto object = std::find_if(objects_.begin(), objects_.end(),
                                   [fd](const Object& one) { return one.fd == fd; });
  if (object == objects_.end()) return {};
  const std::uint64_t exists = round_down(bytes_of(fd), kPageBytes);
  const std::uint64_t whole = round_up(std::max(bytes, exists), kPageBytes);
  if (object->mapped.bytes < whole) {
    // With room: the object grows by the index of each piece, and to take page tables down for that
    // takes 15 to 28 ms for 256 MiB, while threads stand still.
    const std::uint64_t room = round_up(whole + whole / 8, kRoomBytes);
    void* memory =
        object->mapped.bytes != 0
            ? mremap(object->mapped.pointer(), object->mapped.bytes, room, MREMAP_MAYMOVE)
            : mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return {};
    object->mapped = {reinterpret_cast<Address>(memory), room};
    os::exclude_from_core(object->mapped);
  }
  return {static_cast<char*>(object->mapped.pointer()), object->mapped.bytes, exists};
}

int Aside::take(std::uint64_t bytes, int ranks, std::uint64_t number) {
  // The smallest that is large enough, or else the largest.
  Object* best = nullptr;
  std::uint64_t there = 0;
  for (Object& object : objects_) {
    if (object.number != 0) continue;
    const std::uint64_t its = bytes_of(object.fd);
    if (best != nullptr && !(there < bytes ? its > there : its >= bytes && its < there)) continue;
    best = &object;
    there = its;
  }
  const std::uint64_t more = bytes > there ? bytes - there : 0;
  // Half of what is left stays the program's.
  if (more != 0 && more > os::memory_left() / 2 / static_cast<std::uint64_t>(ranks)) return -1;
  if (best == nullptr) {
    const int fd = memfd_create("roam-checkpoint", MFD_CLOEXEC);
    if (fd < 0) return -1;
    best = &objects_.emplace_back(Object{fd, 0, {}});
  }
  best->number = number;
  return best->fd;
}

void Aside::keep_only(const std::vector<std::uint64_t>& numbers) {
  for (Object& object : objects_) {
    if (std::find(numbers.begin(), numbers.end(), object.number) == numbers.end())
      object.number = 0;
  }
}

void Aside::give_back() {
  std::uint64_t kept = 0;
  for (const Object& object : objects_) kept += object.number == 0 ? bytes_of(object.fd) : 0;
  if (kept <= os::memory_left() / 4) return;
  std::erase_if(objects_, [](const Object& object) {
    if (object.number == 0) give_back(object);
    return object.number == 0;
  });
}

}  // namespace roam::runtime
