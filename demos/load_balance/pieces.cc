#include "demos/load_balance/pieces.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace fs = std::filesystem;

namespace {

constexpr double kSizeSpread = 32;  // largest to smallest file of a sample

void add(const fs::directory_entry& entry, Listing& listing) {
  std::error_code error;
  if (entry.is_symlink(error) || !entry.is_regular_file(error)) return;
  const std::uint64_t bytes = entry.file_size(error);
  if (error || access(entry.path().c_str(), R_OK) != 0) {
    ++listing.unreadable;
  } else if (bytes > 0) {
    listing.files.push_back({entry.path().string(), bytes});
  }
}

std::runtime_error cannot_list(std::string_view root, const std::error_code& error) {
  return std::runtime_error("--input: '" + std::string(root) + "': " + error.message());
}

}  // namespace

Listing list_files(const std::vector<std::string>& roots) {
  Listing listing;
  for (const std::string& root : roots) {
    std::error_code error;
    if (fs::is_regular_file(root, error)) {
      add(fs::directory_entry(root), listing);
      continue;
    }
    fs::recursive_directory_iterator at(root, error);
    if (error) throw cannot_list(root, error);
    for (; at != fs::recursive_directory_iterator(); at.increment(error)) {
      std::error_code no_matter;
      if (at->is_directory(no_matter) && access(at->path().c_str(), R_OK | X_OK) != 0) {
        ++listing.unreadable;
        at.disable_recursion_pending();
      } else {
        add(*at, listing);
      }
    }
    if (error) ++listing.unreadable;  // the iterator ends where it cannot go on
  }
  // The order in which a directory lists its files is the file system's; the work list is not.
  std::sort(listing.files.begin(), listing.files.end(),
            [](const File& a, const File& b) { return a.path < b.path; });
  return listing;
}

std::vector<File> choose(const std::vector<File>& files, std::uint64_t bytes, std::size_t count) {
  std::uint64_t total = 0;
  std::map<std::uint64_t, const File*> by_size;  // one a size, so that no copies are taken
  for (const File& file : files) {
    total += file.bytes;
    by_size.try_emplace(file.bytes, &file);
  }
  if (total <= bytes) return files;

  std::vector<File> chosen;
  std::uint64_t left = bytes;
  auto take = [&](std::map<std::uint64_t, const File*>::iterator at) {
    chosen.push_back(*at->second);
    left -= at->first;
    by_size.erase(at);
  };
  // `count` sizes a, aq, aq^2 ... with the sum `bytes`; for each the largest file that is no
  // larger.
  const double q = count > 1 ? std::pow(kSizeSpread, -1.0 / static_cast<double>(count - 1)) : 0;
  double size = static_cast<double>(bytes) * (1 - q) / (1 - std::pow(q, count));
  for (std::size_t i = 0; i < count; ++i, size *= q) {
    auto above = by_size.upper_bound(static_cast<std::uint64_t>(size));
    if (above != by_size.begin()) take(std::prev(above));
  }
  // A tree without files of such sizes: what fits, the largest first.
  while (left > bytes / 2) {
    auto above = by_size.upper_bound(left);
    if (above == by_size.begin()) break;
    take(std::prev(above));
  }
  if (chosen.empty()) chosen.push_back({by_size.begin()->second->path, bytes});
  return chosen;
}

std::vector<Piece> cut(const std::vector<File>& files, std::uint64_t piece_bytes) {
  std::vector<Piece> pieces;
  for (const File& file : files) {
    for (std::uint64_t at = 0; at < file.bytes; at += piece_bytes) {
      pieces.push_back({file.path, at, std::min(piece_bytes, file.bytes - at)});
    }
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.bytes > b.bytes; });
  return pieces;
}
