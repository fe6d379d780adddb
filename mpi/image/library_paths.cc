#include "mpi/image/library_paths.h"

#include <sys/auxv.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <string_view>
#include <vector>

// glibc's header says so, and only GCC knows that in C++.
#ifdef __clang__
using _Bool = bool;  // NOLINT(bugprone-reserved-identifier)
#endif
#include <sys/platform/x86.h>

namespace roam::mpi {
namespace {

constexpr char kCache[] = "/etc/ld.so.cache";
constexpr std::string_view kCacheMagic = "glibc-ld.so.cache1.1";
constexpr std::int32_t kCacheX86_64 = 0x0303;  // a library for glibc, of this machine
constexpr std::uint64_t kCacheLevel = std::uint64_t{1} << 62;
constexpr char kSystemFolders[] =
    "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib";

constexpr const char* kLevels[] = {"glibc-hwcaps/x86-64-v4/", "glibc-hwcaps/x86-64-v3/",
                                   "glibc-hwcaps/x86-64-v2/", ""};

// Whether processor and kernel can all of these, as ld.so has found out.
template <class... Feature>
bool can(Feature... features) {
  return (x86_cpu_active(features) && ...);
}

// Folders below each folder for processors that can more, best first; the last is for all. The
// levels are those of the psABI, whose names compilers do not all know.
std::span<const char* const> levels() {
  static const std::size_t first = [] {
    if (!can(x86_cpu_CMPXCHG16B, x86_cpu_LAHF64_SAHF64, x86_cpu_POPCNT, x86_cpu_SSE3, x86_cpu_SSSE3,
             x86_cpu_SSE4_1, x86_cpu_SSE4_2))
      return 3;
    if (!can(x86_cpu_AVX, x86_cpu_AVX2, x86_cpu_BMI1, x86_cpu_BMI2, x86_cpu_F16C, x86_cpu_FMA,
             x86_cpu_LZCNT, x86_cpu_MOVBE))
      return 2;
    return can(x86_cpu_AVX512F, x86_cpu_AVX512BW, x86_cpu_AVX512CD, x86_cpu_AVX512DQ,
               x86_cpu_AVX512VL)
               ? 0
               : 1;
  }();
  return std::span(kLevels).subspan(first);
}

// Whether it is a library of this machine that can be read.
bool is_library(const std::string& path) {
  Elf64_Ehdr head;
  std::ifstream in(path, std::ios::binary);
  return in.read(reinterpret_cast<char*>(&head), sizeof head) &&
         std::memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 && head.e_ident[EI_CLASS] == ELFCLASS64 &&
         head.e_machine == EM_X86_64;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string with_words_replaced(std::string text, const std::string& origin) {
  const auto* platform = reinterpret_cast<const char*>(getauxval(AT_PLATFORM));
  const std::pair<std::string_view, std::string> words[] = {
      {"ORIGIN", origin},
      {"LIB", "lib/x86_64-linux-gnu"},
      {"PLATFORM", platform != nullptr ? platform : "x86_64"}};
  for (const auto& [word, value] : words) {
    for (const std::string& form : {"${" + std::string(word) + "}", "$" + std::string(word)}) {
      for (std::size_t at = 0; (at = text.find(form, at)) != std::string::npos; at += value.size())
        text.replace(at, form.size(), value);
    }
  }
  return text;
}

// `folders` has one of `between` between any two.
std::string found_in(std::string_view folders, std::string_view between, const std::string& name,
                     const std::string& origin) {
  while (!folders.empty()) {
    const std::size_t end = folders.find_first_of(between);
    const std::string folder = with_words_replaced(std::string(folders.substr(0, end)), origin);
    folders = end == std::string_view::npos ? std::string_view() : folders.substr(end + 1);
    for (const char* level : levels()) {
      const std::string path = (folder.empty() ? "." : folder) + "/" + level + name;
      if (is_library(path)) return path;
    }
  }
  return {};
}

// What ldconfig has noted.
//
//   0             20      24             48            + 24 each      ...
//   | magic, version | count | (other) ... | entries: flags, name, path, ... | names |
//
// One for a level of x86-64 has bit 62 of its last word set, and the level in its path.
std::string found_in_cache(const std::string& name) {
  std::ifstream in(kCache, std::ios::binary);
  const std::string cache{std::istreambuf_iterator<char>(in), {}};
  struct Entry {
    std::int32_t flags;
    std::uint32_t name, path;  // from the beginning of the file
    std::uint32_t unused;
    std::uint64_t level;
  };
  constexpr std::size_t kHead = 48;
  if (!cache.starts_with(kCacheMagic) || cache.size() < kHead || cache.back() != '\0') return {};
  std::uint32_t count;
  std::memcpy(&count, cache.data() + kCacheMagic.size(), sizeof count);
  std::string best;
  std::size_t best_level = levels().size();
  for (std::size_t i = 0; i < count && kHead + (i + 1) * sizeof(Entry) <= cache.size(); ++i) {
    Entry entry;
    std::memcpy(&entry, cache.data() + kHead + i * sizeof entry, sizeof entry);
    if (entry.flags != kCacheX86_64 || entry.name >= cache.size() || entry.path >= cache.size() ||
        name != cache.data() + entry.name || (entry.level & ~kCacheLevel) >> 32 != 0)
      continue;
    const std::string path = cache.data() + entry.path;
    std::size_t level = levels().size() - 1;
    if (entry.level != 0) {
      level = 0;
      while (level + 1 < levels().size() && path.find(levels()[level]) == std::string::npos)
        ++level;
      if (level + 1 == levels().size()) continue;  // of another processor
    }
    if (level < best_level && is_library(path)) {
      best = path;
      best_level = level;
    }
  }
  return best;
}

}  // namespace

// Of the program, where it is itself if the path is a symbolic link.
std::string origin_of(const ElfFile& file, bool is_program) {
  if (!is_program) return folder_of(file.whole_path());
  char* real = realpath(file.whole_path().c_str(), nullptr);
  std::string folder = folder_of(real != nullptr ? real : file.whole_path());
  std::free(real);
  return folder;
}

std::string library_path(const std::string& name, std::span<const ElfFile* const> by) {
  const ElfFile& asker = *by.front();
  const ElfFile& program = *by.back();
  if (name.find('/') != std::string::npos) {
    const std::string path = with_words_replaced(name, origin_of(asker, &asker == &program));
    return is_library(path) ? path : std::string();
  }
  std::string found;
  const auto look = [&](std::string_view folders, std::string_view between, const ElfFile& of) {
    if (found.empty()) found = found_in(folders, between, name, origin_of(of, &of == &program));
  };
  if (!asker.has(DT_RUNPATH)) {
    for (const ElfFile* file : by) {
      if (!file->has(DT_RUNPATH)) look(file->text_of(DT_RPATH), ":", *file);
    }
  }
  if (const char* folders = std::getenv("LD_LIBRARY_PATH"); folders != nullptr)
    look(folders, ":;", program);
  look(asker.text_of(DT_RUNPATH), ":", asker);
  if ((asker.value(DT_FLAGS_1) & DF_1_NODEFLIB) != 0) return found;
  if (found.empty()) found = found_in_cache(name);
  look(kSystemFolders, ":", asker);
  return found;
}

}  // namespace roam::mpi
