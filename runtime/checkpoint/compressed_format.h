#ifndef ROAM_RUNTIME_CHECKPOINT_COMPRESSED_FORMAT_H_
#define ROAM_RUNTIME_CHECKPOINT_COMPRESSED_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "base/range.h"

namespace roam::runtime {

// The file of a piece that was compressed; docs/checkpoint.md has it byte by byte.
//
//   | CompressedHead, a page | frames ..., 0 to a page | index of the piece | table, 0 | trailer |
//
// The piece has the bytes that it has without this (piece_format.h). What is before its index is
// cut into frames of the same length, the last one shorter: each is compressed on its own, or
// stored as it is, from a whole page on. The index with the piece's trailer is stored as it is, so
// that what is read at once is no longer than the file. Numbers are little-endian. Checksums
// (hash.h): of the head, the table and the trailer here; of a compressed frame in the table; what
// is stored as it is has those of the piece. Zeros between a frame and a page are checked too.
inline constexpr std::uint32_t kCompressedVersion = 1;  // a number is never used again

// Shorter and longer ones leave the same share; with longer ones more is passed over, and who wants
// a page has all of its frame decompressed (docs/decisions/0057-compressed-checkpoints.md).
inline constexpr std::uint32_t kFrameBytes = 256 << 10;
inline constexpr std::uint32_t kMostFrameBytes = 1 << 20;  // that a reader takes

struct CompressedHead {
  static constexpr std::uint64_t kMagic = 0x4441'4548'5a44'4d52;  // "RMDZHEAD"
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t page_bytes;
  std::uint32_t frame_bytes;  // a power of two, whole pages
  std::uint32_t zero_too;
  std::uint64_t zero[508];
  std::uint64_t hash;  // of what is before it
};
static_assert(sizeof(CompressedHead) == kPageBytes);

// How a frame is in the file. A number is never used again.
enum class FrameMethod : std::uint32_t { kStored = 0, kZstd = 1 };

struct FrameEntry {
  std::uint32_t bytes;  // in the file
  FrameMethod method;
  std::uint64_t hash;  // of those bytes; of one that is stored 0
};
static_assert(sizeof(FrameEntry) == 16);

struct CompressedTrailer {
  static constexpr std::uint64_t kMagic = 0x4c49'4154'5a44'4d52;  // "RMDZTAIL"
  std::uint64_t magic;
  std::uint64_t bytes;         // of the piece
  std::uint64_t index_offset;  // in the piece
  std::uint64_t frames;        // how many, in the table
  std::uint64_t table_offset;  // in the file
  std::uint64_t table_bytes;   // with the zeros, without the trailer
  std::uint64_t table_hash;    // of those bytes
  std::uint64_t hash;          // of what is before it
};
static_assert(sizeof(CompressedTrailer) == 64);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_COMPRESSED_FORMAT_H_
