#ifndef ROAM_BASE_OS_FILE_PAGES_H_
#define ROAM_BASE_OS_FILE_PAGES_H_

#include <cstddef>
#include <string>

#include "base/range.h"

// Pages of files in this process's memory. Calls that may fail return false, or an empty range,
// with errno set.
namespace roam::os {

// A regular file, to be read. -1 with errno: it cannot be.
int open_to_read(const std::string& path);
void close_file(int fd);
// All of the file, to be read, wherever the kernel has room. Empty: it has no bytes, or errno says
// why.
Range map_whole_file(int fd);

// Lays pages of the file, from `offset` on, over our own memory: readable, executable, private.
// They stay so when access is given to memory around them.
bool lay_file_pages(Range range, int fd, std::size_t offset);
// Memory with access in place of the pages that were laid over `range`: the object's from `offset`
// on, or, if `fd` is negative, empty memory of this process. In no core and of small pages, as all
// of the arena, so that the kernel makes one mapping of both.
void lay_memory(Range range, int fd, std::size_t offset);

}  // namespace roam::os

#endif  // ROAM_BASE_OS_FILE_PAGES_H_
