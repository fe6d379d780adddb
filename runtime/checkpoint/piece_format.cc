#include "runtime/checkpoint/piece_format.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "base/text.h"

namespace roam::runtime {

std::string pack_summary(const PieceSummary& s) {
  return text("%d %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
              " %" PRIu64 " ",
              s.rank, s.ranks, s.number, s.bytes, s.index_offset, s.index_bytes, s.index_hash,
              s.images, s.blocks) +
         s.file;
}

PieceSummary unpack_summary(std::string_view packed) {
  const std::string all(packed);
  PieceSummary s;
  int at = 0;
  const int got = std::sscanf(all.c_str(),
                              "%d %d %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                              " %" SCNu64 " %" SCNu64 "%n",
                              &s.rank, &s.ranks, &s.number, &s.bytes, &s.index_offset,
                              &s.index_bytes, &s.index_hash, &s.images, &s.blocks, &at);
  if (got != 9 || static_cast<std::size_t>(at) + 1 >= all.size()) return {};
  s.file = all.substr(static_cast<std::size_t>(at) + 1);
  return s;
}

std::string piece_name(int rank) { return text("piece-%d", rank); }

void page_runs_of(const std::vector<Range>& runs, std::vector<Range>* pages) {
  pages->clear();
  Range current;
  const auto flush = [&] {
    for (Address at = current.begin; at < current.end(); at += kMostPageRunBytes)
      pages->push_back({at, std::min(kMostPageRunBytes, current.end() - at)});
  };
  for (const Range& run : runs) {
    const Address begin = round_down(run.begin, kPageBytes);
    const Address end = round_up(run.end(), kPageBytes);
    if (begin >= current.begin && begin <= current.end()) {
      current.bytes = std::max(end, current.end()) - current.begin;
      continue;
    }
    flush();
    current = Range{begin, end - begin};
  }
  flush();
}

}  // namespace roam::runtime
