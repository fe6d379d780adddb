#ifndef ROAM_MPI_CALLS_FILE_NAME_H_
#define ROAM_MPI_CALLS_FILE_NAME_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace roam::mpi {

// What names an open file, wherever a member of those who opened it is: enough to open it anew in
// any process.
struct FileName {
  std::uint64_t id = 0;      // of this opening; no other in the job has it
  std::uint64_t random = 0;  // and none of another job this
  std::string path;          // absolute
  int flags = 0;             // of open(2), for all but the first
  // The file that was opened first, if it matters: another one may have its name by now. Devices
  // are compared under the same kernel only.
  bool is_checked = false;
  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t kernel = 0;
  // A descriptor of it, of a process under that kernel, for a file whose name is gone.
  pid_t process = 0;
  int descriptor = -1;
};

// Which kernel this is: a number that each makes when it starts.
std::uint64_t this_kernel();
// Whether no other kernel has the file system: what one process has written another reads.
bool is_local(int descriptor);

enum class Found { kIt, kOther, kError };  // errno says which error
// Whether the open file is the one that was opened first. On a file system that each kernel has for
// itself it is not, under another kernel, whatever its inode's number is.
Found compare(const FileName& file, int descriptor);

// Removes the name `path`. The number of the error, or 0, as when nothing has it.
int remove_any_name(const std::string& path);
// Removes the name `path`, if it still is that of the open file. The number of the error, or 0, as
// when nothing has the name any more; EEXIST: something else has it, which stays.
int remove_name_of(int descriptor, const std::string& path);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_FILE_NAME_H_
