#ifndef ROAM_RUNTIME_CHECKPOINT_KNOWN_PAGES_H_
#define ROAM_RUNTIME_CHECKPOINT_KNOWN_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/range.h"
#include "runtime/checkpoint/piece_format.h"

namespace roam::runtime {

// What this rank's last piece has: for each page of memory the file where its bytes are, and their
// checksum. The next piece can say the same of those that have not changed since.
struct KnownPages {
  struct Run {
    Range pages;
    std::uint32_t file;    // as PageRun's
    std::uint64_t offset;  // in that file
    std::size_t hashes;    // where those of its pages begin
  };
  std::string folder;        // of the checkpoint, if it is on disk
  bool kept = false;         // a keeper has it
  bool compressed = false;   // its file, or one that it builds on
  std::uint64_t number = 0;  // of it; 0: nothing is known
  std::uint32_t rank = 0;
  std::vector<Run> runs;  // by address once it is complete
  std::vector<std::uint64_t> hashes;
  std::vector<BaseEntry> bases;

  void sort();
  // The first part of `pages` that is in one run and one of `clean`, which is in order; none: null.
  const Run* first_in(Range pages, const std::vector<Range>& clean, Range* part) const;
  // The first that holds page `at`; null: it is not known.
  const Run* run_at(Address at) const;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_KNOWN_PAGES_H_
