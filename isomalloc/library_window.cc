#include "isomalloc/library_window.h"

#include <climits>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/fnv.h"
#include "isomalloc/arena.h"

namespace roam::iso {
namespace {

// A larger library reaches into the places below its own.
constexpr std::size_t kPlaceBytes = std::size_t{128} << 20;
// The lowest stay free, for such.
constexpr std::size_t kFirstPlace = 64;
constexpr std::size_t kPlaces = kLibraryWindow.bytes / kPlaceBytes - kFirstPlace;

// The same in every build.
std::uint64_t number_of(std::string_view name) {
  const std::uint64_t number = fnv_of(name);
  return number ^ number >> 32;
}

// Ranks may name one file in several ways. What ld.so looks for has a name only.
std::string whole_path(const std::string& path) {
  char whole[PATH_MAX];
  if (path.find('/') == path.npos || realpath(path.c_str(), whole) == nullptr) return path;
  return whole;
}

Address end_for(const std::string& path) {
  const std::size_t place = kFirstPlace + number_of(whole_path(path)) % kPlaces;
  return kLibraryWindow.begin + (place + 1) * kPlaceBytes;
}

bool taken_by_arena() {
  const Range whole = arena().whole();
  return whole.begin < kLibraryWindow.end() && kLibraryWindow.begin < whole.end();
}

}  // namespace

LibraryPlace::LibraryPlace(const std::string& path) : end_(end_for(path)) {
  if (!taken_by_arena()) below_.emplace(end_);
}

bool LibraryPlace::has(Address a) const {
  return below_.has_value() && a < end_ && a >= end_ - kPlaceBytes;
}

}  // namespace roam::iso
