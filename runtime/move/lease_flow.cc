// How free addresses flow from ranks that have more than they use to those that run out.

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "isomalloc/arena.h"
#include "isomalloc/block.h"
#include "runtime/image/claims.h"
#include "runtime/move/lease_broker.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using iso::Region;

namespace {

// What one gift brings at most, unless more is asked for: a rank that gives it away seals it page
// by page, some 2 ms.
constexpr std::size_t kMostGiftBytes = std::size_t{1} << 30;
constexpr std::size_t kMostGiftRanges = 256;
// Shorter pieces go where their neighbours go, when there are many.
constexpr std::size_t kLongPieceBytes = 64 << 20;
constexpr int kMostRounds = 16;

// What rests for reuse outside of the pool goes into it.
void free_what_rests(Region region) {
  if (region == Region::kSlots) {
    threads::scheduler().slots().drop_resting(0);
  } else if (region == Region::kBlocks) {
    iso::end_all_rests();
  }
  iso::pool(region).trim(0);
}

// It is clean where it comes from. Here memory of a thread may have been kept that has left, and
// ended there.
void forget_what_was_here(Range range) {
  iso::Arena& arena = iso::arena();
  if (claim_range(range) != iso::Claimed::kNothingKept) arena.discard(range);
  arena.units().unmark(range);
}

}  // namespace

void LeaseBroker::ask_for_ranges(int rank, Region region, Need need, std::size_t bytes) {
  const RangeAskHead ask{Kind::kRangeAsk, static_cast<int>(region), need, 0, bytes};
  send(rank, &ask, sizeof ask);
}

void LeaseBroker::give_ranges(int to, const RangeAskHead& ask) {
  const Region region = static_cast<Region>(ask.region);
  iso::RangePool& pool = iso::pool(region);
  std::vector<Range> given;
  const std::size_t free = pool.free_bytes();
  // Of two that collect at once one gets all, and nobody gets back meanwhile what was collected.
  const bool keeps = collects_all_ && (ask.need == Need::kSoon || mpi_.rank() < to);
  switch (ask.need) {
    case Need::kSoon:
      // Who has given keeps enough not to ask soon itself.
      if (keeps || free <= 2 * pool.low_water()) break;
      given =
          pool.give(0, std::min((free - pool.low_water()) / 2, kMostGiftBytes), kMostGiftRanges);
      break;
    case Need::kNow: {
      if (keeps) break;
      const std::size_t bytes =
          std::max<std::size_t>(ask.bytes, std::min(free / 2, kMostGiftBytes));
      given = pool.give(ask.bytes, bytes, kMostGiftRanges);
      if (given.empty()) {
        free_what_rests(region);
        given = pool.give(ask.bytes, bytes, kMostGiftRanges);
      }
      break;
    }
    case Need::kAll:
      if (keeps) break;
      free_what_rests(region);
      given = pool.give(0, SIZE_MAX, kMostGiftRanges);
      break;
    case Need::kTidy:
      break;
  }
  for (const Range& range : given) iso::arena().leases().disown(range, !net_.same_node(to));
  addresses_sent_ += !given.empty();
  RangeGiftHead head{};
  head.kind = Kind::kRangeGift;
  head.region = ask.region;
  head.need = ask.need;
  head.count = static_cast<std::uint32_t>(given.size());
  head.more = given.size() == kMostGiftRanges;
  head.free_bytes = pool.free_bytes();
  head.sent = addresses_sent_;
  head.received = addresses_received_;
  send_ranges(to, head, given.data());
}

void LeaseBroker::send_ranges(int to, const RangeGiftHead& head, const Range* ranges) {
  char* at = mpi_.compose(sizeof head + head.count * sizeof(Range));
  std::memcpy(at, &head, sizeof head);
  if (head.count != 0) std::memcpy(at + sizeof head, ranges, head.count * sizeof(Range));
  mpi_.send(to);
  mpi_.sent_apart();
}

// Which rank gathers what is short in this part of the region: the one that had it from the start,
// and of the other half they all have a part.
int LeaseBroker::steward_of(Region region, Range piece) const {
  const std::size_t ranks = static_cast<std::size_t>(mpi_.ranks());
  const std::size_t leases = iso::arena().layout().lease_count(region),
                    share = leases / (2 * ranks);
  const std::size_t lease =
      (piece.begin - iso::arena().region(region).begin) / iso::arena().lease_bytes();
  return static_cast<int>(lease < share * ranks ? lease / share : (lease - share * ranks) % ranks);
}

// What one rank made, one range after the other, is freed on many: each has pieces, of which some
// are too short to be of use, and nobody their neighbours.
void LeaseBroker::tidy(Region region) {
  iso::RangePool& pool = iso::pool(region);
  std::map<int, std::vector<Range>> pieces;
  for (const Range& piece : pool.give_pieces(
           kLongPieceBytes, [&](Range range) { return steward_of(region, range) != mpi_.rank(); }))
    pieces[steward_of(region, piece)].push_back(piece);
  for (const auto& [to, ranges] : pieces) {
    for (const Range& range : ranges) iso::arena().leases().disown(range, !net_.same_node(to));
    for (std::size_t first = 0; first < ranges.size(); first += kMostGiftRanges) {
      RangeGiftHead head{};
      head.kind = Kind::kRangeGift;
      head.region = static_cast<int>(region);
      head.need = Need::kTidy;
      head.count = static_cast<std::uint32_t>(std::min(kMostGiftRanges, ranges.size() - first));
      ++addresses_sent_;
      send_ranges(to, head, ranges.data() + first);
    }
  }
  tidy_pieces_[static_cast<int>(region)] = pool.pieces();
}

void LeaseBroker::take_ranges(int from, const char* message) {
  const auto head = read<RangeGiftHead>(message);
  const int r = head.region;
  iso::RangePool& pool = iso::pool(static_cast<Region>(r));
  for (std::uint32_t i = 0; i < head.count; ++i) {
    const Range range = read<Range>(message + sizeof head + i * sizeof(Range));
    if (!net_.same_node(from)) forget_what_was_here(range);
    pool.take_in(range);
  }
  if (head.count != 0) ++addresses_received_;
  if (head.need == Need::kTidy) return;
  if (head.count != 0) {
    giver_[r] = from;
    dry_bytes_[r] = SIZE_MAX;
  }
  if (head.need != Need::kSoon) {
    gift_ = head;
    return;
  }
  asked_[r] = false;
  if (head.count != 0) {
    asked_ranks_[r] = 0;
    return;
  }
  giver_[r] = (from + 1) % mpi_.ranks();
  if (asked_ranks_[r] == mpi_.ranks() - 1) {
    // Nobody can spare any: until half of what is left is gone.
    asked_ranks_[r] = 0;
    dry_bytes_[r] = pool.free_bytes() / 2;
  }
}

// One question at a time, and no more than it takes: who looks for the end of the job waits until
// all are answered.
void LeaseBroker::ask_around(Region region) {
  const int r = static_cast<int>(region);
  if (iso::pool(region).free_bytes() >= dry_bytes_[r]) return;
  if (giver_[r] == mpi_.rank()) giver_[r] = (giver_[r] + 1) % mpi_.ranks();
  asked_[r] = true;
  ++asked_ranks_[r];
  ask_for_ranges(giver_[r], region, Need::kSoon, 0);
}

// Whether there is a range of `bytes` once every other rank has been asked, one after the other, or
// some of them. `flow`: how many messages with addresses all have sent and received.
bool LeaseBroker::ask_all(Region region, Need need, std::size_t bytes, Flow* flow) {
  iso::RangePool& pool = iso::pool(region);
  const int first = giver_[static_cast<int>(region)];
  *flow = Flow{};
  for (int i = 0; i < mpi_.ranks(); ++i) {
    const int rank = (first + i) % mpi_.ranks();
    if (rank == mpi_.rank()) continue;
    do {
      gift_.reset();
      ask_for_ranges(rank, region, need, bytes);
      wait([&] { return gift_.has_value(); });
      if (pool.longest_clean() >= bytes) return true;
    } while (need == Need::kAll && gift_->more != 0);
    flow->sent += gift_->sent;
    flow->received += gift_->received;
    flow->free_bytes += gift_->free_bytes;
  }
  flow->sent += addresses_sent_;
  flow->received += addresses_received_;
  flow->free_bytes += pool.free_bytes();
  return false;
}

bool LeaseBroker::collect_here(Region region, std::size_t bytes) {
  free_what_rests(region);
  if (iso::pool(region).longest_clean() >= bytes) return true;
  if (mpi_.ranks() == 1 || collects_all_ || !mpi_.channel_open()) return false;
  Flow flow;
  if (ask_all(region, Need::kNow, bytes, &flow)) return true;
  if (flow.free_bytes < bytes && flow.sent == flow.received) return false;
  // Pieces of several ranks may grow together. As long as some may be on their way from one rank to
  // another, all are asked again.
  collects_all_ = true;
  bool found = ask_all(region, Need::kAll, bytes, &flow);
  for (int round = 0; !found && round < kMostRounds; ++round) {
    const std::uint64_t last = flow.sent;
    found = ask_all(region, Need::kAll, bytes, &flow);
    if (flow.sent == last && flow.received == last) break;
  }
  collects_all_ = false;
  return found;
}

}  // namespace roam::runtime
