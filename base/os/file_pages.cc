#include "base/os/file_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/os/laid_pages.h"
#include "base/os/memory.h"

namespace roam::os {

int open_to_read(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about;
  if (fd < 0) return -1;
  if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) return fd;
  close(fd);
  errno = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
  return -1;
}

void close_file(int fd) { close(fd); }

Range map_whole_file(int fd) {
  struct stat about;
  if (fstat(fd, &about) != 0 || about.st_size == 0) return {};
  const std::size_t bytes = static_cast<std::size_t>(about.st_size);
  void* at = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  return at == MAP_FAILED ? Range{} : Range{reinterpret_cast<Address>(at), bytes};
}

bool lay_file_pages(Range range, int fd, std::size_t offset) {
  note_laid_pages(range);
  if (mmap(range.pointer(), range.bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd,
           static_cast<off_t>(offset)) == range.pointer())
    return true;
  const int error = errno;
  forget_laid_pages(range);
  errno = error;
  return false;
}

// One mapping takes the place of another, so the kernel never lacks room for it.
void lay_memory(Range range, int fd, std::size_t offset) {
  const int flags =
      MAP_NORESERVE | MAP_FIXED | (fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);
  void* at = mmap(range.pointer(), range.bytes, PROT_READ | PROT_WRITE, flags, fd,
                  fd >= 0 ? static_cast<off_t>(offset) : 0);
  ROAM_CHECK(at == range.pointer(), "mmap(%p, %zu) of the arena's own memory: %s", range.pointer(),
             range.bytes, std::strerror(errno));
  forget_laid_pages(range);
  exclude_from_core(range);
  set_huge_pages(range, false);
}

}  // namespace roam::os
