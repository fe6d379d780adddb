#ifndef ROAM_RUNTIME_CHECKPOINT_MANIFEST_H_
#define ROAM_RUNTIME_CHECKPOINT_MANIFEST_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/range.h"
#include "runtime/checkpoint/piece_format.h"

namespace roam::runtime {

// What a checkpoint is of, and which files are in it: `manifest` in its folder, written last. JSON,
// and a last line with the checksum of what is above it; docs/checkpoint.md has it field by field.
struct Manifest {
  // Of the format; a number is never used again. Where no file is compressed it is the one before,
  // which earlier builds read too.
  static constexpr int kVersion = 3, kUncompressedVersion = 2;
  static constexpr const char* kFile = "manifest";
  // Longer ones are neither written nor read: a summary takes 300 bytes, and data twice what it
  // has.
  static constexpr std::size_t kMostBytes = 256 << 20;
  static constexpr std::size_t kMostDataBytes = 64 << 20;

  std::uint64_t number = 0;  // of the checkpoint in its folder
  std::string made;          // when, as 2026-11-28T20:15:00Z
  int ranks = 0;             // that wrote it, and so pieces
  int homes = 0;             // of the job: ranks of which its threads' names and addresses tell
  std::uint64_t threads = 0;
  std::uint64_t bytes = 0;          // of all pieces
  std::string program;              // its path
  std::string roam;                 // its version; empty: unknown
  std::vector<std::string> layout;  // os::layout_facts()
  Range arena;
  std::size_t lease_bytes = 0;
  std::uint64_t canary = 0;
  std::uint64_t clock_ns = 0;               // what the job's clock showed (base/job_clock.h)
  std::vector<PieceSummary> pieces;         // by rank
  std::map<std::string, std::string> data;  // of the job: any bytes

  std::string folder;  // where it was read; not in the text

  bool compressed() const;             // a piece, or one that a piece builds on
  std::uint64_t stored_bytes() const;  // of the files of its pieces
  std::string path_of(int piece) const {
    return folder + "/" + pieces[static_cast<std::size_t>(piece)].file;
  }

  // All of the file, and back. `folder_read` is where it came from. Errors: false and why, with
  // the file's name.
  std::string text() const;
  // Whether a text of so many bytes may be one's.
  static bool fits(std::size_t bytes, std::string* why);
  bool parse(const std::string& folder_read, const std::string& text, std::string* why);

  // In `folder_to`, on disk when it returns. Errors: false and why.
  bool write(const std::string& folder_to, std::string* why) const;
  // A manifest of another user is refused, unless `of_others`.
  bool read(const std::string& folder_read, std::string* why, bool of_others = false);
};

// The first difference that forbids a job whose facts are `now` (layout; arena, if it cannot be
// moved; homes and canary are the checkpoint's own) to go on from `then`, in a sentence, and what
// the user can do, in another. Empty: there is none.
std::string compare(const Manifest& then, const Manifest& now);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_MANIFEST_H_
