#ifndef ROAM_RUNTIME_CHECKPOINT_PIECE_H_
#define ROAM_RUNTIME_CHECKPOINT_PIECE_H_

// Both sides of a piece.
#include "runtime/checkpoint/piece_format.h"  // IWYU pragma: export
#include "runtime/checkpoint/piece_reader.h"  // IWYU pragma: export
#include "runtime/checkpoint/piece_writer.h"  // IWYU pragma: export

#endif  // ROAM_RUNTIME_CHECKPOINT_PIECE_H_
