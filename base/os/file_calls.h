#ifndef ROAM_BASE_OS_FILE_CALLS_H_
#define ROAM_BASE_OS_FILE_CALLS_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// System calls on files and folders for who has an answer to each failure. Their results are those
// of the kernel, errno included; what was interrupted is called again. Each can be made to fail.
namespace roam::os {

int open_file(const std::string& path, int flags, unsigned mode = 0);  // closed by exec
// Fails where the file's last bytes could not be written.
int close_file_of(int fd);
// Up to 1,024 parts. They may do less than they were asked for.
ssize_t write_parts(int fd, const iovec* parts, int count, std::uint64_t offset);
ssize_t read_parts(int fd, const iovec* parts, int count, std::uint64_t offset);
// All of the bytes. False with errno; EIO where the file ends before, or takes nothing more.
bool write_all(int fd, const void* bytes, std::size_t count, std::uint64_t offset);
bool read_all(int fd, void* bytes, std::size_t count, std::uint64_t offset);
int sync_file(int fd);
int make_folder(const std::string& path, unsigned mode);
int link_file(const std::string& from, const std::string& to);
int rename_file(const std::string& from, const std::string& to);
int remove_file(const std::string& path);
int remove_folder(const std::string& path);
// Whether transfers go past the page cache: memory, lengths and offsets are whole pages then. -1:
// the file system does not do that.
int set_direct(int fd, bool direct);
// Of the open file or folder, until it is closed. -1 with EWOULDBLOCK: another process has it.
int lock_file(int fd);
// The names in a folder, sorted, without "." and "..". False with errno.
bool list_folder(const std::string& path, std::vector<std::string>* names);

// Failure injection for tests. The n-th of the calls above, from now, fails: with ENOSPC where it
// writes or makes something, else with EIO. 0: off.
extern std::atomic<int> fail_file_call_after;
// It writes or reads a part of what it should instead, if it is one of those.
extern std::atomic<bool> fail_by_half;

}  // namespace roam::os

#endif  // ROAM_BASE_OS_FILE_CALLS_H_
