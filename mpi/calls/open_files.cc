#include "mpi/calls/open_files.h"

#include <fcntl.h>
#include <mpi.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "base/os/file_limit.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/calls/call_error.h"
#include "mpi/calls/file_error.h"
#include "mpi/image/of_process.h"
#include "roam/thread.h"

namespace roam::mpi {
namespace {

constinit OfProcess<std::map<std::uint64_t, open_files::Descriptor>> table;

// What a FIFO would wait for, nobody waits for here. A process of many virtual ranks has as many
// files open as all of them together, so it may have as many as the kernel lets it.
int open_now(const char* path, int flags) {
  const auto open = [&] { return ::open(path, flags | O_CLOEXEC | O_NONBLOCK, 0666); };
  const int fd = open();
  if (fd >= 0 || errno != EMFILE) return fd;
  os::allow_many_files();
  return open();
}

// By its name; or, where that is gone, as what a process of the same kernel has open.
int open_again(const FileName& file) {
  int fd = open_now(file.path.c_str(), file.flags);
  int error = errno;
  Found found = Found::kError;
  if (fd >= 0 && (found = compare(file, fd)) != Found::kIt) {
    error = errno;
    close(fd);
    fd = -1;
  }
  if (fd >= 0) return fd;
  if (file.process != 0 && file.kernel == this_kernel()) {
    const std::string other = text("/proc/%d/fd/%d", file.process, file.descriptor);
    fd = open_now(other.c_str(), file.flags);
    if (fd >= 0 && compare(file, fd) == Found::kIt) return fd;
    if (fd >= 0) close(fd);
  }
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  const std::string where = text("%s on %s of rank %d", file.path.c_str(), host, rank());
  if (found == Found::kOther) {
    throw CallError(MPI_ERR_FILE, where +
                                      " is another file than the one that was opened: it was "
                                      "replaced, or the nodes do not share the file system");
  }
  if (error == ENOENT && file.is_checked) {
    throw CallError(MPI_ERR_NO_SUCH_FILE, where +
                                              ", which is open elsewhere, is not there: it was "
                                              "removed, or the nodes do not share the file "
                                              "system");
  }
  throw_file_error(error, where);
}

open_files::Descriptor note(std::uint64_t id, int fd) {
  const open_files::Descriptor made{fd, is_local(fd)};
  try {
    (*table.use())[id] = made;
  } catch (...) {
    close(fd);
    throw CallError(MPI_ERR_NO_MEM, "there is no memory to note an open file");
  }
  return made;
}

// `body()` on that rank, which returns the number of an error.
template <class Body>
int call_on(int r, Body body) {
  if (r == rank()) return body();
  try {
    spawn(SpawnOptions{.name = "closes a file", .rank = r}, [body] {
      if (const int e = body(); e != 0) throw e;
    }).join();
  } catch (const int e) {
    return e;
  }
  return 0;
}

}  // namespace

namespace open_files {

Descriptor descriptor_of(const FileName& file) {
  {
    const auto known = table.use();
    const auto found = known->find(file.id);
    if (found != known->end()) return found->second;
  }
  return note(file.id, open_again(file));
}

void open_first(FileName* file, int flags) {
  const int fd = open_now(file->path.c_str(), flags);
  if (fd < 0) throw_file_error(errno, file->path);
  struct stat s;
  if (fstat(fd, &s) != 0 || S_ISDIR(s.st_mode) || S_ISFIFO(s.st_mode) || S_ISSOCK(s.st_mode)) {
    close(fd);
    throw CallError(MPI_ERR_BAD_FILE, file->path + " has no places to read or write at");
  }
  // Other jobs may have the same ids, and left things behind.
  if (getrandom(&file->random, sizeof file->random, 0) != sizeof file->random) {
    const int error = errno;
    close(fd);
    throw_file_error(error, "a random number for " + file->path);
  }
  file->is_checked = true;
  file->device = s.st_dev;
  file->inode = s.st_ino;
  file->kernel = this_kernel();
  file->process = getpid();
  file->descriptor = note(file->id, fd).number;
}

int close_here(std::uint64_t id) {
  const auto known = table.use();
  const auto found = known->find(id);
  if (found == known->end()) return 0;
  const int error = close(found->second.number) == 0 ? 0 : errno;
  known->erase(found);
  return error;
}

int close_everywhere(std::uint64_t id, const std::vector<int>& ranks) {
  int error = 0;
  for (const int r : ranks) {
    const int there = call_on(r, [id] { return close_here(id); });
    if (error == 0) error = there;
  }
  return error;
}

int remove_name(const FileName& file, int on) {
  return call_on(on, [id = file.id, path = file.path, compares = file.is_checked] {
    if (!compares) return remove_any_name(path);
    const auto known = table.use();
    const auto found = known->find(id);
    return found == known->end() ? EBADF : remove_name_of(found->second.number, path);
  });
}

std::size_t count() { return table.use()->size(); }

}  // namespace open_files
}  // namespace roam::mpi
