#include "runtime/checkpoint/piece_format.h"

#include <algorithm>
#include <cinttypes>
#include <sstream>

#include "base/text.h"

namespace roam::runtime {

std::string pack_summary(const PieceSummary& s) {
  std::string packed = text("%d %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                            " %" PRIu64 " %" PRIu64 " %" PRIu64 " %zu",
                            s.rank, s.ranks, s.number, s.bytes, s.stored, s.index_offset,
                            s.index_bytes, s.index_hash, s.images, s.blocks, s.bases.size());
  for (const BaseEntry& base : s.bases) packed += text(" %" PRIu64 " %u", base.number, base.rank);
  return packed + " " + s.file;
}

PieceSummary unpack_summary(std::string_view packed) {
  std::istringstream in{std::string(packed)};
  PieceSummary s;
  std::size_t bases = 0;
  in >> s.rank >> s.ranks >> s.number >> s.bytes >> s.stored >> s.index_offset >> s.index_bytes >>
      s.index_hash >> s.images >> s.blocks >> bases;
  for (BaseEntry base{}; in && s.bases.size() < bases; s.bases.push_back(base))
    in >> base.number >> base.rank;
  in.get();  // the space
  if (!in || !std::getline(in, s.file)) return {};
  return s;
}

std::string piece_name(int rank) { return text("piece-%d", rank); }

std::string base_name(const BaseEntry& base) {
  return text("base-%06" PRIu64 "-%u", base.number, base.rank);
}

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
