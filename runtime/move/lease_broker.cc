#include "runtime/move/lease_broker.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/block.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using iso::LeaseRun;
using iso::Region;

namespace {
// Free ranges of a pool from which on it is looked whether other ranks may have their neighbours.
constexpr std::size_t kManyPieces = 512;

// What save() has written of a region.
struct Saved {
  std::uint64_t next;
  std::uint64_t low_water;
  std::vector<Range> ranges;
};
Saved read_saved(StateReader& in) {
  Saved saved;
  saved.next = in.get<std::uint64_t>();
  saved.low_water = in.get<std::uint64_t>();
  const std::string_view bytes = in.get_bytes();
  saved.ranges.resize(bytes.size() / sizeof(Range));
  if (!bytes.empty()) std::memcpy(saved.ranges.data(), bytes.data(), bytes.size());
  return saved;
}

// The upper half of the longest of `ranges`, in `more` equal parts of whole units; empty if those
// would be short.
Range part_for(const std::vector<Range>& ranges, std::size_t more) {
  constexpr std::size_t kLeastPart = 64 << 20;
  const auto longest = std::ranges::max_element(ranges, {}, &Range::bytes);
  if (longest == ranges.end()) return {};
  const std::size_t part = round_down(longest->bytes / 2 / more, iso::kUnitBytes);
  if (part < kLeastPart) return {};
  return Range{longest->end() - part * more, part * more};
}

constexpr Kind kOwn[] = {Kind::kLeaseAsk,  Kind::kLeaseGrant, Kind::kRangeAsk,
                         Kind::kRangeGift, Kind::kObtain,     Kind::kObtainReply};
}  // namespace

void LeaseBroker::share_out() {
  for (int r = 0; r < iso::kRegions; ++r) {
    const Region region = static_cast<Region>(r);
    const std::size_t all = iso::arena().layout().lease_count(region);
    const std::size_t ranks = static_cast<std::size_t>(mpi_.ranks());
    // Alone, a rank has everything.
    const std::size_t share = ranks == 1 ? all : all / (2 * ranks);
    if (share != 0)
      iso::pool(region).add({region, static_cast<std::size_t>(mpi_.rank()) * share, share});
    next_[r] = share * ranks;
    iso::pool(region).set_source(this);
    giver_[r] = (mpi_.rank() + 1) % mpi_.ranks();
    dry_bytes_[r] = SIZE_MAX;
  }
  set_due(mpi_.ranks() != 1);
}

// ---- checkpoints ----

void LeaseBroker::save_addresses(StateWriter& out) {
  for (int r = 0; r < iso::kRegions; ++r) {
    const Region region = static_cast<Region>(r);
    std::vector<Range> ranges = iso::pool(region).all_free();
    const auto add = [&](const std::vector<Range>& more) {
      ranges.insert(ranges.end(), more.begin(), more.end());
    };
    if (region == Region::kSlots) add(threads::scheduler().slots().resting_ranges());
    if (region == Region::kBlocks) add(iso::resting_ranges());
    out.put<std::uint64_t>(next_[r]);
    out.put<std::uint64_t>(iso::pool(region).low_water());
    out.put_bytes(ranges.data(), ranges.size() * sizeof(Range));
  }
}

// Ranks beyond those of the earlier job get leases that nobody had, or else a part of the longest
// range that rank 0 had free.
void LeaseBroker::take_over(std::string_view first, const std::vector<std::string_view>& own,
                            int pieces) {
  StateReader of_first(first);
  std::vector<StateReader> readers(own.begin(), own.end());
  const std::size_t rank = static_cast<std::size_t>(mpi_.rank());
  const std::size_t before = static_cast<std::size_t>(pieces);
  const std::size_t more = std::max(static_cast<std::size_t>(mpi_.ranks()), before) - before;
  for (int r = 0; r < iso::kRegions; ++r) {
    const Region region = static_cast<Region>(r);
    iso::RangePool& pool = iso::pool(region);
    const Saved all = read_saved(of_first);
    next_[r] = all.next;
    Range cut{};
    const std::size_t leases = iso::arena().layout().lease_count(region);
    if (mpi_.ranks() == 1 && next_[r] < leases) {  // alone, a rank has everything
      pool.add({region, next_[r], leases - next_[r]});
      next_[r] = leases;
    }
    if (more != 0) {
      const std::size_t left = iso::arena().layout().lease_count(region) - next_[r];
      const std::size_t share = left / (2 * more);
      if (share != 0) {
        if (rank >= before) pool.add({region, next_[r] + (rank - before) * share, share});
        next_[r] += share * more;
      } else {
        cut = part_for(all.ranges, more);
        if (cut.bytes == 0) {
          throw Error(Errc::out_of_address_space,
                      text("the checkpoint is of %d ranks, and no addresses are left for the %zu "
                           "more that this job has: go on with fewer ranks",
                           pieces, more));
        }
        const std::size_t part = cut.bytes / more;
        if (rank >= before)
          pool.take_over({Range{cut.begin + (rank - before) * part, part}}, part / 8);
      }
    }
    for (StateReader& in : readers) {
      Saved own_part = read_saved(in);
      if (&in == &readers.front() && rank == 0 && cut.bytes != 0) {
        for (Range& range : own_part.ranges) {
          if (range.contains(cut.begin)) range.bytes -= cut.bytes;
        }
      }
      pool.take_over(own_part.ranges, own_part.low_water);
    }
    pool.set_source(this);
    giver_[r] = (mpi_.rank() + 1) % mpi_.ranks();
    dry_bytes_[r] = SIZE_MAX;
  }
  set_due(mpi_.ranks() != 1);
}

void LeaseBroker::send(int to, const void* head, std::size_t bytes) {
  std::memcpy(mpi_.compose(bytes), head, bytes);
  mpi_.send(to);
  mpi_.sent_apart();
}

// On rank 0.
LeaseHead LeaseBroker::grant(const LeaseHead& ask) {
  LeaseHead given = ask;
  given.kind = Kind::kLeaseGrant;
  std::size_t& next = next_[ask.region];
  const std::size_t left =
      iso::arena().layout().lease_count(static_cast<Region>(ask.region)) - next;
  // Who asks ahead is content with less.
  given.count = (ask.request & 1) != 0 ? (ask.count <= left ? ask.count : 0)
                                       : std::min<std::size_t>(ask.count, left);
  given.first = next;
  next += given.count;
  return given;
}

void LeaseBroker::wait_a_message() {
  int from = 0;
  std::size_t bytes = 0;
  mpi_.progress_sends();
  const char* message = mpi_.receive(&from, &bytes);
  if (message == nullptr) return;
  if (std::ranges::find(kOwn, read<Kind>(message)) != std::end(kOwn)) {
    handle(from, message, bytes);
  } else {
    net_.put_aside(from, message, bytes);
  }
  mpi_.release();
}

std::optional<LeaseRun> LeaseBroker::request(Region region, std::size_t count) {
  std::optional<LeaseRun> run;
  threads::on_rank_stack([&] { run = request_here(region, count); });
  return run;
}

bool LeaseBroker::collect(Region region, std::size_t bytes) {
  bool found = false;
  threads::on_rank_stack([&] { found = collect_here(region, bytes); });
  return found;
}

bool LeaseBroker::obtain(Range range) {
  bool given = false;
  threads::on_rank_stack([&] { given = obtain_here(range); });
  return given;
}

std::optional<LeaseRun> LeaseBroker::request_here(Region region, std::size_t count) {
  const int r = static_cast<int>(region);
  if (mpi_.ranks() == 1) return std::nullopt;
  LeaseHead ask{Kind::kLeaseAsk, r, next_request_, 0, count};
  next_request_ += 2;
  if (mpi_.rank() == 0) {
    answer_ = grant(ask);
  } else if (!mpi_.channel_open()) {
    return std::nullopt;
  } else {
    answer_.reset();
    send(0, &ask, sizeof ask);
    wait([&] { return answer_.has_value() && answer_->request == ask.request; });
  }
  if (answer_->count == 0) return std::nullopt;
  return LeaseRun{region, answer_->first, answer_->count};
}

// Not for a checkpoint, whose ranks write one after the other which addresses are free: what goes
// from one to another meanwhile would be in two pieces, or in none.
void LeaseBroker::poll() {
  if (threads::scheduler().stands_still()) return;
  for (int r = 0; r < iso::kRegions; ++r) {
    iso::RangePool& pool = iso::pool(static_cast<Region>(r));
    if (!pool.low()) {
      dry_bytes_[r] = SIZE_MAX;
      if (pool.pieces() > 2 * tidy_pieces_[r] + kManyPieces && mpi_.ranks() != 1)
        tidy(static_cast<Region>(r));
      continue;
    }
    if (asked_[r] || mpi_.ranks() == 1) continue;
    if (no_more_[r]) {
      ask_around(static_cast<Region>(r));
      continue;
    }
    const std::size_t count =
        std::max<std::size_t>(1, iso::arena().layout().lease_count(static_cast<Region>(r)) /
                                     (8 * static_cast<std::size_t>(mpi_.ranks())));
    const LeaseHead ask{Kind::kLeaseAsk, r, 0, 0, count};
    asked_[r] = true;
    if (mpi_.rank() == 0) {
      const LeaseHead given = grant(ask);
      handle(0, reinterpret_cast<const char*>(&given), sizeof given);
    } else {
      send(0, &ask, sizeof ask);
    }
  }
}

bool LeaseBroker::give_up(Range range) {
  if (!iso::arena().region(Region::kBlocks).contains(range.begin)) return false;
  iso::end_all_rests();
  iso::RangePool& pool = iso::pool(Region::kBlocks);
  if (pool.take(range)) return true;
  // Rank 0 answers for what nobody owns yet.
  if (mpi_.rank() != 0) return false;
  const Range blocks = iso::arena().region(Region::kBlocks);
  const std::size_t beyond =
      (range.end() - blocks.begin + iso::arena().lease_bytes() - 1) / iso::arena().lease_bytes();
  std::size_t& next = next_[static_cast<int>(Region::kBlocks)];
  if (beyond <= next || beyond > iso::arena().layout().lease_count(Region::kBlocks)) return false;
  pool.add({Region::kBlocks, next, beyond - next});
  next = beyond;
  return pool.take(range);
}

bool LeaseBroker::obtain_here(Range range) {
  if (give_up(range)) return true;
  if (!mpi_.channel_open()) return false;
  obtain_answers_ = 0;
  obtain_given_ = false;
  const ObtainHead ask{Kind::kObtain, 0, range, 0, 0};
  // It may be on its way from one rank to another. Two rounds in which the same numbers of messages
  // with addresses were sent, and received, have seen every rank at rest.
  for (std::uint64_t last = UINT64_MAX;;) {
    obtain_sent_ = obtain_received_ = 0;
    // One after the other: the first that gives it ends the search.
    for (int rank = 0; rank < mpi_.ranks() && !obtain_given_; ++rank) {
      if (rank == mpi_.rank()) continue;
      const int answers = obtain_answers_;
      send(rank, &ask, sizeof ask);
      wait([&] { return obtain_answers_ != answers; });
    }
    if (obtain_given_) return true;
    if (give_up(range)) return true;  // it came here meanwhile
    obtain_sent_ += addresses_sent_;
    obtain_received_ += addresses_received_;
    if (obtain_sent_ == obtain_received_ && obtain_sent_ == last) return false;
    last = obtain_sent_;
  }
}

std::span<const Kind> LeaseBroker::kinds() const { return kOwn; }

void LeaseBroker::handle(int from, const char* message, std::size_t) {
  if (from != mpi_.rank()) mpi_.received_apart();
  switch (read<Kind>(message)) {
    case Kind::kLeaseAsk: {
      LeaseHead ask;
      std::memcpy(&ask, message, sizeof ask);
      const LeaseHead given = grant(ask);
      addresses_sent_ += given.count != 0;
      send(from, &given, sizeof given);
      return;
    }
    case Kind::kLeaseGrant: {
      LeaseHead given;
      std::memcpy(&given, message, sizeof given);
      addresses_received_ += given.count != 0 && from != mpi_.rank();
      if ((given.request & 1) != 0) {
        answer_ = given;
        return;
      }
      asked_[given.region] = false;
      no_more_[given.region] = given.count == 0;
      if (given.count != 0) {
        const Region region = static_cast<Region>(given.region);
        iso::pool(region).add({region, given.first, given.count});
      }
      return;
    }
    case Kind::kRangeAsk: {
      RangeAskHead ask;
      std::memcpy(&ask, message, sizeof ask);
      give_ranges(from, ask);
      return;
    }
    case Kind::kRangeGift:
      take_ranges(from, message);
      return;
    case Kind::kObtain: {
      ObtainHead ask;
      std::memcpy(&ask, message, sizeof ask);
      const bool given = give_up(ask.range);
      if (given) iso::arena().leases().disown(ask.range, !net_.same_node(from));
      const ObtainHead reply{Kind::kObtainReply, given ? 1u : 0u, ask.range, addresses_sent_,
                             addresses_received_};
      send(from, &reply, sizeof reply);
      return;
    }
    case Kind::kObtainReply: {
      ObtainHead reply;
      std::memcpy(&reply, message, sizeof reply);
      ++obtain_answers_;
      obtain_given_ = obtain_given_ || reply.given != 0;
      obtain_sent_ += reply.sent;
      obtain_received_ += reply.received;
      return;
    }
    default:
      return;
  }
}

}  // namespace roam::runtime
