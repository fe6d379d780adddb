#ifndef ROAM_RUNTIME_CHECKPOINT_PIECE_FORMAT_H_
#define ROAM_RUNTIME_CHECKPOINT_PIECE_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/range.h"

namespace roam::runtime {

// The piece of a checkpoint that one rank wrote, a file; docs/checkpoint.md has it byte by byte.
// Whether its file has these bytes or is compressed (compressed_format.h), that file says.
//
//   | PieceHead, a page | pages of memory ... | index, 0 to its end | PieceTrailer |
//
// The trailer ends at a whole page, so that all of it can be written past the page cache. All
// numbers are little-endian. Each byte is covered by a checksum (hash.h): the head by its own,
// pages by those in the index, the index by the one that the trailer and the manifest have, the
// trailer by its own.
inline constexpr std::uint32_t kPieceVersion = 2;  // a number is never used again

struct PieceHead {
  static constexpr std::uint64_t kMagic = 0x4543'4549'5044'4d52;  // "RMDPIECE"
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t page_bytes;
  std::uint32_t rank;
  std::uint32_t ranks;
  std::uint64_t number;  // of the checkpoint
  std::uint64_t zero[507];
  std::uint64_t hash;  // of what is before it
};
static_assert(sizeof(PieceHead) == kPageBytes);

// Whole pages of memory: where they were, and where in the file they are.
struct PageRun {
  std::uint64_t begin;
  std::uint32_t bytes;
  std::uint32_t file;  // 0: this one; n: the n-th of its bases
  std::uint64_t offset;
  std::uint64_t hash;  // hash_of_pages()
};
static_assert(sizeof(PageRun) == 32);
// The longest, so that whoever looks for one byte need not read more.
inline constexpr std::size_t kMostPageRunBytes = 1 << 20;

// What the index begins with. Bases follow, then images, blocks and states:
//
//   base:  BaseEntry
//   image: head, marks and runs as write_lists() of runtime/image/codec.h has them, the number of
//          page runs (8 bytes), page runs
//   block: BlockEntry, page runs
//   state: StateEntry, its name, its bytes, both with zeros up to a multiple of 8
struct IndexHead {
  static constexpr std::uint64_t kMagic = 0x5845'444e'4944'4d52;  // "RMDINDEX"
  std::uint64_t magic;
  std::uint64_t images;  // how many
  std::uint64_t blocks;
  std::uint64_t states;
  std::uint64_t bases;
};
static_assert(sizeof(IndexHead) == 40);
// An earlier piece that has some of the pages. It is in the folder too, as base_name() says.
struct BaseEntry {
  std::uint64_t number;  // of its checkpoint
  std::uint32_t rank;    // that wrote it
  std::uint32_t zero;
  friend bool operator==(const BaseEntry&, const BaseEntry&) = default;
};
static_assert(sizeof(BaseEntry) == 16);
struct BlockEntry {
  std::uint64_t begin;  // of its range
  std::uint64_t range_bytes;
  std::uint64_t bytes;  // that were asked for
  std::uint64_t page_runs;
};
static_assert(sizeof(BlockEntry) == 32);
struct StateEntry {
  std::uint64_t name_bytes;
  std::uint64_t bytes;
};
static_assert(sizeof(StateEntry) == 16);

struct PieceTrailer {
  static constexpr std::uint64_t kMagic = 0x4c49'4154'5044'4d52;  // "RMDPTAIL"
  std::uint64_t magic;
  std::uint64_t index_offset;
  std::uint64_t index_bytes;
  std::uint64_t index_hash;
  std::uint64_t hash;  // of what is before it
};
static_assert(sizeof(PieceTrailer) == 40);

// What the manifest says of a piece.
struct PieceSummary {
  std::string file;  // its name in the checkpoint's folder
  int rank = 0;
  int ranks = 0;
  std::uint64_t number = 0;  // of the checkpoint
  std::uint64_t bytes = 0;   // of the piece
  // Of its file, which is compressed, or builds on one that is; 0: neither is.
  std::uint64_t stored = 0;
  std::uint64_t index_offset = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t index_hash = 0;
  std::uint64_t images = 0;
  std::uint64_t blocks = 0;
  std::vector<BaseEntry> bases;
  std::uint64_t stored_bytes() const { return stored != 0 ? stored : bytes; }
  friend bool operator==(const PieceSummary&, const PieceSummary&) = default;
};
// As bytes of a message, and back; of what cannot be one an empty summary.
std::string pack_summary(const PieceSummary& summary);
PieceSummary unpack_summary(std::string_view packed);

// How a piece is called in the folder of its checkpoint.
std::string piece_name(int rank);
// And an earlier one, which others of that folder build on.
std::string base_name(const BaseEntry& base);

// The whole pages that `runs` lie in, in their order, joined where they touch and cut to at most
// kMostPageRunBytes each.
void page_runs_of(const std::vector<Range>& runs, std::vector<Range>* pages);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_PIECE_FORMAT_H_
