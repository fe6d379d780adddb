#ifndef ROAM_RUNTIME_CHECKPOINT_LISTING_H_
#define ROAM_RUNTIME_CHECKPOINT_LISTING_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/checkpoint/manifest.h"
#include "runtime/checkpoint/piece_reader.h"

namespace roam::runtime {

// For a program that is no job and looks at checkpoints.

// Reserves the arena's addresses as the job had them, for PieceReader::open(); those of an earlier
// call are given back. Errors: false and why.
bool have_arena_of(const Manifest& manifest, std::string* why);

// What image i of a piece is of.
struct ThreadFacts {
  std::uint64_t id = 0;
  std::string name;             // "?" if the control block is not as this program knows it
  const char* state = "?";      // as detail::to_string says it
  std::size_t stack_bytes = 0;  // in use
  std::size_t heap_bytes = 0;   // of address space
  std::size_t bytes = 0;        // of its image
};
// Errors: false and why, if its pages are not right.
bool thread_facts(PieceReader& piece, std::size_t i, ThreadFacts* facts, std::string* why);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_LISTING_H_
