#include "mpi/calls/file_name.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fnv.h"

namespace roam::mpi {
namespace {

// Numbers that are not in every kernel's headers.
constexpr long kXfs = 0x58465342, kZfs = 0x2fc12fc1, kFuse = 0x65735546;

// On file systems in user space an inode may have another number at each client.
bool has_stable_inodes(int descriptor) {
  struct statfs s;
  return fstatfs(descriptor, &s) == 0 && s.f_type != kFuse;
}

}  // namespace

bool is_local(int descriptor) {
  struct statfs s;
  if (fstatfs(descriptor, &s) != 0) return false;
  const long local[] = {EXT4_SUPER_MAGIC, BTRFS_SUPER_MAGIC,    TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC,
                        F2FS_SUPER_MAGIC, REISERFS_SUPER_MAGIC, kXfs,        kZfs};
  return std::find(std::begin(local), std::end(local), s.f_type) != std::end(local);
}

std::uint64_t this_kernel() {
  static const std::uint64_t made = [] {
    char id[64] = "";
    const int fd = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, id, sizeof id - 1) <= 0) gethostname(id, sizeof id - 1);
    if (fd >= 0) close(fd);
    return fnv_of(id);
  }();
  return made;
}

Found compare(const FileName& file, int descriptor) {
  struct stat s;
  if (!file.is_checked) return Found::kIt;
  if (fstat(descriptor, &s) != 0) return Found::kError;
  if (file.kernel == this_kernel())
    return s.st_ino == file.inode && s.st_dev == file.device ? Found::kIt : Found::kOther;
  if (S_ISCHR(s.st_mode)) return Found::kIt;  // /dev/null and its kin lie in each kernel's memory
  if (is_local(descriptor)) return Found::kOther;
  return s.st_ino == file.inode || !has_stable_inodes(descriptor) ? Found::kIt : Found::kOther;
}

int remove_any_name(const std::string& path) {
  return unlink(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
}

int remove_name_of(int descriptor, const std::string& path) {
  struct stat named, open;
  if (fstat(descriptor, &open) != 0) return errno;
  if (stat(path.c_str(), &named) != 0) return errno == ENOENT ? 0 : errno;
  if (named.st_ino != open.st_ino || named.st_dev != open.st_dev) return EEXIST;
  return remove_any_name(path);
}

}  // namespace roam::mpi
