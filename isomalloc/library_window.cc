#include "isomalloc/library_window.h"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/fnv.h"
#include "base/os/mappings.h"
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

bool LibraryPlace::has(Range loaded) const {
  if (!below_.has_value() || loaded.end() > end_ || loaded.end() <= end_ - kPlaceBytes)
    return false;
  const std::vector<os::Mapping> all = os::mappings();
  return std::none_of(all.begin(), all.end(), [&](const os::Mapping& mapping) {
    return mapping.range.end() > loaded.end() && mapping.range.begin < end_;
  });
}

}  // namespace roam::iso
