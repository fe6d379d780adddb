#include "mpi/image/library_paths.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

namespace roam::mpi {
namespace {

constexpr char kCache[] = "/etc/ld.so.cache";
constexpr std::string_view kCacheMagic = "glibc-ld.so.cache1.1";
constexpr std::int32_t kCacheX86_64 = 0x0303;  // a library for glibc, of this machine

bool can_read(const std::string& path) { return access(path.c_str(), R_OK) == 0; }

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// `folders` has a colon between any two.
std::string found_in(std::string_view folders, const std::string& name, const std::string& origin) {
  while (!folders.empty()) {
    const std::size_t colon = folders.find(':');
    std::string folder(folders.substr(0, colon));
    folders = colon == std::string_view::npos ? std::string_view() : folders.substr(colon + 1);
    for (const std::string_view word : {"${ORIGIN}", "$ORIGIN"}) {
      for (std::size_t at; (at = folder.find(word)) != std::string::npos;)
        folder.replace(at, word.size(), origin);
    }
    const std::string path = (folder.empty() ? "." : folder) + "/" + name;
    if (can_read(path)) return path;
  }
  return {};
}

// What ldconfig has noted.
//
//   0             20      24             48            + 24 each      ...
//   | magic, version | count | (other) ... | entries: flags, name, path, ... | names |
std::string found_in_cache(const std::string& name) {
  std::ifstream in(kCache, std::ios::binary);
  const std::string cache{std::istreambuf_iterator<char>(in), {}};
  struct Entry {
    std::int32_t flags;
    std::uint32_t name, path;  // from the beginning of the file
    std::uint32_t rest[3];
  };
  constexpr std::size_t kHead = 48;
  if (!cache.starts_with(kCacheMagic) || cache.size() < kHead || cache.back() != '\0') return {};
  std::uint32_t count;
  std::memcpy(&count, cache.data() + kCacheMagic.size(), sizeof count);
  for (std::size_t i = 0; i < count && kHead + (i + 1) * sizeof(Entry) <= cache.size(); ++i) {
    Entry entry;
    std::memcpy(&entry, cache.data() + kHead + i * sizeof entry, sizeof entry);
    if (entry.flags != kCacheX86_64 || entry.name >= cache.size() || entry.path >= cache.size())
      continue;
    const char* path = cache.data() + entry.path;
    if (name == cache.data() + entry.name && can_read(path)) return path;
  }
  return {};
}

}  // namespace

std::string library_path(const std::string& name, const ElfFile& by, const ElfFile& program) {
  if (name.find('/') != std::string::npos) return can_read(name) ? name : std::string();
  std::string found;
  const auto look = [&](std::string_view folders, const ElfFile& of) {
    if (found.empty()) found = found_in(folders, name, folder_of(of.path()));
  };
  if (!by.has(DT_RUNPATH)) {
    look(by.text_of(DT_RPATH), by);
    if (!program.has(DT_RUNPATH)) look(program.text_of(DT_RPATH), program);
  }
  if (const char* folders = std::getenv("LD_LIBRARY_PATH"); folders != nullptr) look(folders, by);
  look(by.text_of(DT_RUNPATH), by);
  if (found.empty()) found = found_in_cache(name);
  look("/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib", by);
  return found;
}

}  // namespace roam::mpi
