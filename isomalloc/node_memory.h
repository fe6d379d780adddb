#ifndef ROAM_ISOMALLOC_NODE_MEMORY_H_
#define ROAM_ISOMALLOC_NODE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/range.h"

namespace roam::iso {

// The addresses of the arena, and what memory is mapped there: an object that the ranks of a node
// share, or this process's own. One mapping, made once. Ranges: whole pages. Context: the rank's
// kernel thread, unless noted.
class NodeMemory {
 public:
  // Before MPI_Init. Errors: Error(out_of_address_space) saying what is in the way.
  void reserve(Range whole);
  // An object of the node's: its first rank creates it, the others attach. Errors: Error(system).
  void create();
  // Opens it through /proc/PID/fd. `token` is what the object holds at `token_offset`. False: it
  // cannot be reached, or is another.
  bool attach(int pid, int fd, std::uint64_t token, std::size_t token_offset);

  bool shared() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  // Drops the pages of `range`: it reads as zeros.
  void discard(Range range);
  // Makes them exist. False with errno.
  bool populate(Range range);
  // Calls `run` for each run of pages in `range` that exist. Context: any kernel thread.
  void for_each_present(Range range, const std::function<void(Range)>& run) const;
  // What the node's memory holds at `from`, whether or not it is usable in this rank's mapping.
  // REQUIRES: shared(). Context: any kernel thread.
  bool read(Address from, void* to, std::size_t bytes) const;
  // Bytes that exist, of the object; where there is none, of the whole process.
  std::size_t used_bytes() const;

  // In a child of fork: the mapping is the child's own, empty, with no access. Who copied this
  // object before can still read the node's memory by the copy, and closes its fd(). False with
  // errno.
  bool become_private();
  // For tests: gives addresses and memory back.
  void release();

 private:
  std::size_t offset(Range range) const { return range.begin - whole_.begin; }

  Range whole_;
  int fd_ = -1;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_NODE_MEMORY_H_
