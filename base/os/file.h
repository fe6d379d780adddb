#ifndef ROAM_BASE_OS_FILE_H_
#define ROAM_BASE_OS_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

// Files that the runtime writes for itself.
namespace roam::os {

// A file that appears whole or not at all: it is written beside its place, as PATH.part, from the
// first write() on, and takes the place (also of an older file) when it is complete. Where another
// process is writing that part, it is PATH.part2, and so on: whoever ends last has the place. What
// is not a plain file, such as a pipe or /dev/stdout, is written as it is.
class WholeFile {
 public:
  WholeFile() = default;
  ~WholeFile();  // gives up what was not kept
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  // Tries whether it can be written, and leaves nothing there. False: it cannot; error() says why.
  bool open(const std::string& path);
  // False: it could not, now or before. Nothing more is written then.
  bool write(const void* data, std::size_t bytes);
  // Puts the file in its place. False: there is none; error() says why.
  bool keep();
  const std::string& error() const { return error_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  bool fail(const char* call);
  bool make_part();
  void drop_part();

  int fd_ = -1;
  bool open_ = false;
  bool aside_ = false;  // written to part_
  std::string path_;
  std::string part_;
  std::string error_;
  std::uint64_t bytes_ = 0;
};

// A file without a name in TMPDIR, else in /tmp: it is gone when the process is, however it ends.
class ScratchFile {
 public:
  ScratchFile() = default;
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  bool open();
  // Context: any stack of some 500 bytes; allocates nothing, keeps errno. False: no room, or not
  // open.
  bool append(const void* data, std::size_t bytes);
  // Bytes that were there.
  std::size_t read(std::uint64_t offset, void* data, std::size_t bytes) const;
  std::uint64_t bytes() const { return bytes_; }

 private:
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace roam::os

#endif  // ROAM_BASE_OS_FILE_H_
