#ifndef DEMOS_LOAD_BALANCE_PIECES_H_
#define DEMOS_LOAD_BALANCE_PIECES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "demos/load_balance/record.h"

struct File {
  std::string path;
  std::uint64_t bytes = 0;
};

struct Listing {
  std::vector<File> files;       // regular, readable and not empty; no symbolic links
  std::uint64_t unreadable = 0;  // files and directories that were skipped
};

// Lists what is under `roots`, directories or files.
//
// Errors: std::runtime_error naming the root that does not exist or cannot be read.
Listing list_files(const std::vector<std::string>& roots);

// Chooses at most `bytes` of `files`: all of them if they are no more, else about `count` files of
// sizes that fall geometrically, as the sizes of files do: few large, many small, no two alike. If
// every file is larger than `bytes`, the beginning of the smallest.
std::vector<File> choose(const std::vector<File>& files, std::uint64_t bytes, std::size_t count);

// Cuts `files` into pieces of at most `piece_bytes`; the largest piece first.
std::vector<Piece> cut(const std::vector<File>& files, std::uint64_t piece_bytes);

// Rank that piece `index` of `count` is dealt to: blocks of equal count, in order. Since the list
// is sorted by size, the first ranks get far more bytes than the last.
inline int dealt_to(std::size_t index, std::size_t count, int ranks) {
  return static_cast<int>(index * static_cast<std::size_t>(ranks) / count);
}

#endif  // DEMOS_LOAD_BALANCE_PIECES_H_
