#include "runtime/move/live_target.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/text.h"
#include "isomalloc/range_pool.h"

namespace roam::runtime {
namespace {

// Numbers of departures that no record of the Migrator has.
constexpr std::uint32_t kFirstMark = std::uint32_t{1} << 31;
constexpr std::size_t kUnitPages = iso::kUnitBytes / kPageBytes;

// The bits of `pages` in the unit where they begin.
std::uint32_t bits_of(Range pages) {
  const std::size_t first = pages.begin % iso::kUnitBytes / kPageBytes;
  const std::size_t count = pages.bytes / kPageBytes;
  static_assert(kUnitPages < 32);
  return ((std::uint32_t{1} << count) - 1) << first;
}

// Calls `visit` with what of `pages` lies in each unit; false: one said so.
template <class Visit>
bool each_unit(Range pages, Visit visit) {
  for (Address a = pages.begin; a < pages.end();) {
    const Address unit = round_down(a, iso::kUnitBytes);
    const Address end = std::min(pages.end(), unit + iso::kUnitBytes);
    if (!visit(unit, Range{a, end - a})) return false;
    a = end;
  }
  return true;
}

}  // namespace

LiveTarget::Landing* LiveTarget::find(int from, std::uint32_t number) {
  const auto it = landings_.find(from);
  return it != landings_.end() && it->second.number == number ? &it->second : nullptr;
}

void LiveTarget::on_begin(int from, const LiveBeginHead& head) {
  if (const auto old = landings_.find(from); old != landings_.end()) {
    drop(old->second);
    landings_.erase(old);
  }
  // What has been promised to others and has not come yet is not there for this one.
  std::size_t wanted = head.bytes;
  for (const auto& [source, landing] : landings_)
    wanted += landing.lost ? 0 : landing.bytes - std::min(landing.bytes, landing.came_bytes);
  std::string why;
  if (iso::arena().shared()) {
    why = text("the memory of rank %d is shared with other processes of its node", net_.rank());
  } else if (!iso::arena().limit().left(wanted)) {
    why = text("rank %d has no room for it: %s", net_.rank(),
               iso::arena().limit().shortage().c_str());
  } else if (!mapped_) {
    pages_of_.map(iso::arena().layout().units());
    mapped_ = true;
  }
  if (why.empty()) {
    Landing& landing = landings_[from];
    landing.number = head.number;
    landing.bytes = head.bytes;
    landing.mark = kFirstMark | ++next_mark_ % kFirstMark;
  }
  LiveWordHead word{Kind::kLiveReady, head.number, {}};
  copy_text(word.why, why.c_str());
  net_.send_to_why(from, word);
}

// Whether the unit is as it was left when pages were put there last.
bool LiveTarget::ours(const Landing& landing, Address unit) const {
  iso::Arena& arena = iso::arena();
  return arena.units().kind(unit) == iso::UnitKind::kKept &&
         arena.departures().last(unit) == landing.mark && !arena.seals().sealed(unit);
}

// Bytes may be late: the thread has given the addresses up since, and they have come here another
// way, as free ones. Whatever lives in them is seen in the unit map.
bool LiveTarget::free_here(Address unit) {
  if (!free_known_) free_ = joined(iso::pool(iso::Region::kHeap).all_free());
  free_known_ = true;
  const auto it = std::upper_bound(free_.begin(), free_.end(), unit,
                                   [](Address a, const Range& r) { return a < r.end(); });
  return it != free_.end() && it->contains(unit);
}

// False: its addresses are somebody's here.
bool LiveTarget::take(Landing& landing, Address unit) {
  iso::Arena& arena = iso::arena();
  if (ours(landing, unit)) return true;
  const Range range{unit, iso::kUnitBytes};
  const iso::UnitKind kind = arena.units().kind(unit);
  if (kind == iso::UnitKind::kKept) {
    arena.evict(range);
  } else if (kind != iso::UnitKind::kNone || free_here(unit)) {
    return false;
  }
  if (!arena.leases().open(range)) return false;
  arena.seals().unseal(range);
  arena.departures().leave(range, landing.mark);
  arena.departures().keep(range, landing.mark);
  pages_of(unit) = 0;
  landing.units.push_back(unit);
  return true;
}

// False: some of them are not in their place.
bool LiveTarget::land(Landing& landing, Range pages, const char* bytes) {
  bool all = true;
  each_unit(pages, [&](Address unit, Range part) {
    if (!take(landing, unit)) {
      all = false;
      return true;
    }
    std::memcpy(part.pointer(), bytes + (part.begin - pages.begin), part.bytes);
    const int before = std::popcount(pages_of(unit));
    pages_of(unit) |= bits_of(part);
    landing.came_bytes +=
        static_cast<std::size_t>(std::popcount(pages_of(unit)) - before) * kPageBytes;
    return true;
  });
  return all;
}

// They are received even if nobody wants them any more.
void LiveTarget::on_pages(int from, const char* message, std::size_t bytes) {
  const auto head = read<LivePagesHead>(message);
  ROAM_CHECK(head.ranges <= (bytes - sizeof head) / sizeof(Range),
             "pages of rank %d: %zu ranges in %zu bytes", from, std::size_t{head.ranges}, bytes);
  Piece piece{from, head.number, std::vector<Range>(head.ranges), {}, net_.mpi().start_bulk()};
  if (head.ranges != 0)
    std::memcpy(piece.ranges.data(), message + sizeof head, head.ranges * sizeof(Range));
  const Range heaps = iso::arena().region(iso::Region::kHeap);
  for (const Range& pages : piece.ranges) {
    ROAM_CHECK(pages.begin % kPageBytes == 0 && pages.bytes % kPageBytes == 0 &&
                   heaps.contains(pages.begin) && pages.bytes <= heaps.end() - pages.begin,
               "pages of rank %d: 0x%zx bytes at 0x%zx", from, pages.bytes, pages.begin);
  }
  ROAM_CHECK(bytes_of(piece.ranges) == head.bytes, "pages of rank %d: %zu bytes, not %zu", from,
             bytes_of(piece.ranges), std::size_t{head.bytes});
  piece.memory = std::make_unique_for_overwrite<char[]>(head.bytes);
  piece.bulk->receive(from, kLiveTag, piece.memory.get(), head.bytes);
  pieces_.push_back(std::move(piece));
}

// False: some of them are not there.
bool LiveTarget::put_in_place(const Piece& piece) {
  Landing* landing = find(piece.from, piece.number);
  if (landing == nullptr || landing->lost) return false;
  // It was asked for all of them when they were announced; others have taken memory since.
  if (!iso::arena().limit().left(bytes_of(piece.ranges))) lose(*landing);
  if (landing->lost) return false;  // or what it has was given back for want of memory
  free_known_ = false;
  bool all = true;
  const char* at = piece.memory.get();
  for (const Range& pages : piece.ranges) {
    all = land(*landing, pages, at) && all;
    at += pages.bytes;
  }
  return all;
}

// Those of one source in the order in which it sent them.
void LiveTarget::poll() {
  std::vector<int> behind;  // sources of which one has not come yet
  std::erase_if(pieces_, [&](Piece& piece) {
    if (std::find(behind.begin(), behind.end(), piece.from) != behind.end()) return false;
    if (!piece.bulk->done()) {
      behind.push_back(piece.from);
      return false;
    }
    const bool all = put_in_place(piece);
    net_.send(piece.from, LiveTakenHead{Kind::kLiveTaken, piece.number, all ? 0u : 1u});
    return true;
  });
  if (owes_word_) tell_lost();
}

void LiveTarget::on_end(int from, const LiveEndHead& head) {
  Landing* landing = find(from, head.number);
  if (landing == nullptr) return;
  drop(*landing);
  landings_.erase(from);
}

void LiveTarget::on_there(int from, const char* message, std::size_t bytes) {
  const auto head = read<LiveThereHead>(message);
  Landing* landing = find(from, head.number);
  if (landing == nullptr) return;
  ROAM_CHECK(sizeof head + head.ranges * sizeof(Range) <= bytes,
             "pages of rank %d that are here: %u ranges in %zu bytes", from, head.ranges, bytes);
  const std::size_t before = landing->there.size();
  landing->there.resize(before + head.ranges);
  if (head.ranges != 0)
    std::memcpy(&landing->there[before], message + sizeof head, head.ranges * sizeof(Range));
  landing->transfer = head.transfer;
  landing->complete = head.more == 0;
}

bool LiveTarget::all_here(const Landing& landing) const {
  return std::all_of(landing.there.begin(), landing.there.end(), [&](Range pages) {
    return each_unit(pages, [&](Address unit, Range part) {
      const std::uint32_t wanted = bits_of(part);
      return ours(landing, unit) && (pages_of(unit) & wanted) == wanted;
    });
  });
}

bool LiveTarget::has_there(int from, std::uint32_t transfer, std::vector<Range>* there) {
  const auto it = landings_.find(from);
  if (it == landings_.end()) return false;
  Landing& landing = it->second;
  if (!landing.complete || landing.transfer != transfer || landing.lost || !all_here(landing))
    return false;
  landing.settling = true;  // claims may ask for memory
  *there = landing.there;
  return true;
}

void LiveTarget::finish(int from, std::uint32_t transfer) {
  const auto it = landings_.find(from);
  if (it == landings_.end() || !it->second.complete || it->second.transfer != transfer) return;
  drop(it->second);
  landings_.erase(it);
}

// What has been claimed since is not ours any more. What was ours faults from now on, as what is
// not here does.
void LiveTarget::drop(Landing& landing) {
  iso::Arena& arena = iso::arena();
  std::vector<Range> own;
  for (const Address unit : landing.units) {
    if (ours(landing, unit)) own.push_back({unit, iso::kUnitBytes});
  }
  for (const Range& range : joined(std::move(own))) {
    arena.evict(range);
    arena.seals().seal_absent(range);
  }
  landing.units = {};
}

void LiveTarget::reclaim() {
  for (auto& [from, landing] : landings_) {
    if (!landing.settling && !landing.lost) lose(landing);
  }
}

void LiveTarget::lose(Landing& landing) {
  drop(landing);
  landing.lost = true;
  owes_word_ = true;
}

void LiveTarget::tell_lost() {
  owes_word_ = false;
  for (auto& [from, landing] : landings_) {
    if (!landing.lost || landing.told) continue;
    landing.told = true;
    LiveWordHead word{Kind::kLiveLost, landing.number, {}};
    copy_text(word.why, text("rank %d was short of memory", net_.rank()).c_str());
    net_.send_to_why(from, word);
  }
}

}  // namespace roam::runtime
