#include "isomalloc/node_memory.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "base/os/memory.h"
#include "base/text.h"
#include "roam/error.h"

namespace roam::iso {
namespace {

// What is mapped inside `range`, for the message.
std::string what_is_there(Range range) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2 && begin < range.end() &&
        end > range.begin) {
      return line;
    }
  }
  return "";
}

std::string why_not_reserved(Range range, int error) {
  std::string why = text("cannot reserve the arena, %s from %p: ", bytes_text(range.bytes).c_str(),
                         range.pointer());
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  if (error == EEXIST) {
    why += "another mapping is there (" + what_is_there(range) +
           "). Choose another place with ROAM_ARENA=BASE,SIZE.";
  } else if (limit.rlim_cur != RLIM_INFINITY) {
    why += text(
        "%s. The address space is limited to %s (ulimit -v): raise it, or make the arena smaller "
        "with "
        "ROAM_ARENA=BASE,SIZE.",
        std::strerror(error), bytes_text(limit.rlim_cur).c_str());
  } else {
    why += text("%s. Make it smaller with ROAM_ARENA=BASE,SIZE.", std::strerror(error));
  }
  return why;
}

}  // namespace

void NodeMemory::reserve(Range whole) {
  if (!os::reserve(whole)) throw Error(Errc::out_of_address_space, why_not_reserved(whole, errno));
  whole_ = whole;
}

void NodeMemory::create() {
  const int fd = os::make_shared(whole_.bytes);
  if (fd < 0) {
    throw Error(Errc::system,
                text("cannot make shared memory for the arena: %s", std::strerror(errno)));
  }
  if (!os::map_shared(whole_, fd)) {
    const int error = errno;
    close(fd);
    throw Error(Errc::system, text("cannot map the arena: %s", std::strerror(error)));
  }
  fd_ = fd;
}

bool NodeMemory::attach(int pid, int fd, std::uint64_t token, std::size_t token_offset) {
  const int mine = ::open(text("/proc/%d/fd/%d", pid, fd).c_str(), O_RDWR | O_CLOEXEC);
  if (mine < 0) return false;
  // In another process-id namespace the number may name another process: only the token proves it.
  std::uint64_t there = 0;
  if (pread(mine, &there, sizeof there, static_cast<off_t>(token_offset)) != sizeof there ||
      there != token || !os::map_shared(whole_, mine)) {
    close(mine);
    return false;
  }
  fd_ = mine;
  return true;
}

void NodeMemory::discard(Range range) { os::discard(range, shared(), fd_, offset(range)); }

bool NodeMemory::populate(Range range) { return os::populate(range, shared(), fd_, offset(range)); }

void NodeMemory::for_each_present(Range range, const std::function<void(Range)>& run) const {
  os::for_each_present(range, shared(), fd_, offset(range), run);
}

bool NodeMemory::read(Address from, void* to, std::size_t bytes) const {
  return os::read_shared(fd_, from - whole_.begin, to, bytes);
}

std::size_t NodeMemory::used_bytes() const {
  return shared() ? os::shared_bytes(fd_) : os::resident_bytes();
}

bool NodeMemory::become_private() {
  if (!os::map_private(whole_)) return false;
  fd_ = -1;
  return true;
}

void NodeMemory::release() {
  os::unreserve(whole_);
  if (fd_ >= 0) close(fd_);
  *this = NodeMemory{};
}

}  // namespace roam::iso
