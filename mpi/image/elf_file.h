#ifndef ROAM_MPI_IMAGE_ELF_FILE_H_
#define ROAM_MPI_IMAGE_ELF_FILE_H_

#include <elf.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/range.h"

namespace roam::mpi {

// A program or library as it lies in its file, which stays open and mapped to be read. Addresses
// are those of the file, from where its image begins. Whatever the file holds, nothing outside of
// it is read: what does not fit is a Refusal that names the file and the part.
class ElfFile {
 public:
  // Errors: Refusal: it cannot be opened, or is no ELF file of this machine that can be loaded at
  // any address.
  explicit ElfFile(std::string path);
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  const std::string& path() const { return path_; }
  // The same from the root, whatever the working folder is by now.
  const std::string& whole_path() const { return whole_path_; }
  std::string_view name() const;  // of the path, what is behind the last slash
  int fd() const { return fd_; }
  // What all comes to that is loaded of it; files of one digest are the same to all intents.
  std::uint64_t digest() const;
  bool is_same_file(const ElfFile& other) const;
  // Whether somebody wrote to the file since it was opened, or cut it off. A new one in its place
  // is another file.
  bool has_changed() const;
  const Elf64_Ehdr& header() const { return *header_; }
  std::span<const Elf64_Phdr> segments() const { return segments_; }
  // The first segment of that type; null: there is none.
  const Elf64_Phdr* segment(std::uint32_t type) const;

  // All that is loaded, in whole pages.
  Range extent() const { return extent_; }
  std::size_t alignment() const { return alignment_; }

  // The dynamic section.
  bool has(std::int64_t tag) const;
  std::uint64_t value(std::int64_t tag, std::uint64_t otherwise = 0) const;
  std::string_view text_of(std::int64_t tag) const;  // empty: there is none
  std::vector<std::string_view> needed() const;

  // `count` objects at `address`, which have to lie in what the file gives a segment.
  template <class T>
  std::span<const T> at(std::uint64_t address, std::size_t count, const char* what) const {
    return {as<T>(bytes_at(address, count, sizeof(T), what), what), count};
  }
  // The table of `bytes_tag` bytes at `tag`; empty: there is none.
  template <class T>
  std::span<const T> table(std::int64_t tag, std::int64_t bytes_tag) const {
    if (!has(tag) || value(bytes_tag) == 0) return {};
    return at<T>(value(tag), value(bytes_tag) / sizeof(T), "a table of the dynamic section");
  }

  const Elf64_Sym& symbol(std::uint32_t index) const;
  std::string_view string(std::uint64_t offset) const;
  // Version that the symbol refers to or is defined with; empty: none.
  std::string_view version_of(std::uint32_t index) const;
  // Who asks without a version: dlsym means the newest definition. Code that was linked before the
  // library had versions means the first.
  enum class Asks { kByName, kInCode };
  // What the file defines under that name: with that version if one is given and the file has
  // versions. Index of the symbol; 0: nothing.
  std::uint32_t find(std::string_view name, std::string_view version,
                     Asks asks = Asks::kByName) const;

  // What the file defines for others where that address lies, as dladdr has it; 0: nothing.
  std::uint32_t symbol_at(std::uint64_t address) const;
  // The name of the function there, also of one that it keeps for itself, if it has not been
  // stripped; empty: it has none.
  std::string_view name_at(std::uint64_t address) const;

  [[noreturn]] void refuse(const std::string& why) const;

 private:
  // Objects there, which a damaged file may have where the processor's rules have none.
  template <class T>
  const T* as(const char* bytes, const char* what) const {
    if (reinterpret_cast<std::uintptr_t>(bytes) % alignof(T) != 0) refuse_place(what);
    return reinterpret_cast<const T*>(bytes);
  }
  [[noreturn]] void refuse_place(const char* what) const;
  void read_header();
  void read_segments();
  void read_dynamic();
  void read_versions();
  std::uint32_t symbol_count() const;
  std::string_view own_name_at(std::uint64_t address) const;
  // What is looked for, and the only definition of a later version than would do; 0: none, or
  // several.
  struct Wanted {
    std::string_view name, version;
    Asks asks;
    std::uint32_t later = 0;
    int laters = 0;
    std::uint32_t found_late() const { return laters == 1 ? later : 0; }
  };
  bool defines(std::uint32_t index, std::string_view name) const;
  bool is_meant(std::uint32_t index, Wanted* wanted) const;
  std::uint32_t find_by_gnu_hash(Wanted* wanted) const;
  std::uint32_t find_by_hash(Wanted* wanted) const;
  unsigned version_entry(std::uint32_t index) const;
  const char* bytes_at(std::uint64_t address, std::size_t count, std::size_t size,
                       const char* what) const;
  const char* file_bytes(std::uint64_t offset, std::size_t bytes, const char* what) const;

  std::string path_, whole_path_;
  int fd_ = -1;
  struct stat state_ {};  // when it was opened
  Range file_;
  const Elf64_Ehdr* header_ = nullptr;
  std::span<const Elf64_Phdr> segments_;
  std::span<const Elf64_Dyn> dynamic_;
  std::span<const char> strings_;
  std::vector<std::string_view> versions_;  // by number
  Range extent_;
  std::size_t alignment_ = kPageBytes;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_ELF_FILE_H_
