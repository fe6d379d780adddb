#include "runtime/move/live_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/heap.h"
#include "runtime/image/claims.h"
#include "runtime/image/memory_stream.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using threads::scheduler;

namespace {

// A smaller heap takes less than a millisecond anyway.
constexpr std::size_t kLeastHeapBytes = 1 << 20;
// What is looked at in one go, while its thread waits: some 0.2 ms for pages that were not
// protected before, and 0.3 ms for those that were.
constexpr std::size_t kPartBytes = 16 << 20;
constexpr std::size_t kKnownPartBytes = std::size_t{1} << 30;
// What is copied between two turns of threads, some 0.1 ms, and how much of that may be on its way.
constexpr std::size_t kPieceBytes = 512 << 10;
constexpr std::size_t kMostPieces = 8;
constexpr std::uint32_t kMostPasses = 40;
// Passes that have no less to send than three quarters of the one before, in a row.
constexpr int kMostNotLess = 2;
// While a thread that was asked to move is held where it is, its pages are kept fresh.
constexpr std::int64_t kFirstPauseNs = 1'000'000, kLongestPauseNs = 256'000'000;
constexpr std::int64_t kMostHeldNs = 1'000'000'000;
// To take write protection away takes time in which a thread might stand still.
constexpr std::int64_t kWatchOnNs = 100'000'000;

std::uint64_t id_of(const Tcb* t) { return t->id.load(std::memory_order_relaxed); }

std::vector<Range> common(const std::vector<Range>& a, const std::vector<Range>& b) {
  return without(a, without(a, b));
}

Range pages_of(Range bytes) {
  const Address begin = round_down(bytes.begin, kPageBytes);
  return {begin, round_up(bytes.end(), kPageBytes) - begin};
}

// Where the memory of its heap is, but for its slot: whole pages, in order.
std::vector<Range> parts_of(const Tcb& t) {
  std::vector<Range> parts;
  t.heap.for_each_span([&parts](const iso::Span& span) {
    parts.push_back(span.large() ? span.range() : pages_of(span.touched()));
  });
  return joined(std::move(parts));
}

// Ranges that have come to this rank since its last look: they may have gone and come
// back, without a trace in page tables.
std::vector<Range>* claims = nullptr;
void note_claim(Range range) { claims->push_back(range); }

}  // namespace

LiveSource::LiveSource(Net& net, Locator& locator, LiveReports& reports, bool huge_pages,
                       int verbose)
    : net_(net), locator_(locator), reports_(reports), huge_pages_(huge_pages), verbose_(verbose) {}

LiveSource::~LiveSource() {
  claim_heard = nullptr;
  delete std::exchange(claims, nullptr);
}

// ---- what is asked ----

// Why no page of `t` can be sent ahead; empty: nothing is in the way.
std::string LiveSource::obstacle(const Tcb* t, int to) const {
  if (net_.same_node(to)) return text("rank %d is on the same node, where nothing is sent", to);
  const auto alone = [this](int node) {
    return std::count(net_.node_of().begin(), net_.node_of().end(), node) == 1;
  };
  if (!alone(net_.node()) || !alone(net_.node_of(to))) {
    return text(
        "pages are sent ahead between nodes of one rank each only, and rank %d is not "
        "alone on its node",
        alone(net_.node()) ? to : net_.rank());
  }
  if (iso::arena().shared()) return "its memory is shared with other processes of its node";
  if (huge_pages_) return "its memory may be in huge pages (ROAM_HUGE)";
  if (t->heap.address_bytes() < kLeastHeapBytes)
    return text("its heap has only %s", bytes_text(t->heap.address_bytes()).c_str());
  if (t->state == detail::State::kDeparting || t->destined || t->move_to >= 0)
    return "it was asked to move before, and is on its way";
  return {};
}

void LiveSource::ask(Tcb* t, int to, std::int64_t most_still_ns) {
  const Wish wish{t, id_of(t), to, most_still_ns};
  forget(wish.id);
  if (const std::string why = obstacle(t, to); !why.empty()) {
    make_ordinary(wish, why);
    return;
  }
  waiting_.push_back(wish);
}

void LiveSource::forget(std::uint64_t id) {
  if (!busy()) return;
  std::erase_if(waiting_, [id](const Wish& wish) { return wish.id == id; });
  if (now_ && now_->id == id) end_session(true);
}

void LiveSource::end_watch() {
  written_.end();
  claim_heard = nullptr;
}

// ---- sessions ----

// The thread, if it is on this rank still.
Tcb* LiveSource::here(const Wish& wish) const {
  int rank = 0;
  return locator_.locate({wish.id, wish.t}, &rank) == Locator::Where::kHere ? wish.t : nullptr;
}

void LiveSource::begin(const Wish& wish) {
  Tcb* t = here(wish);
  if (t == nullptr) return;
  if (const std::string why = obstacle(t, wish.to); !why.empty()) return make_ordinary(wish, why);
  if (!written_.watches() && !written_.begin(iso::arena().whole(), false)) {
    return make_ordinary(wish,
                         "this rank cannot tell which pages are written: its kernel is older than "
                         "Linux 6.7 or forbids it, a device may write into memory, or a checkpoint "
                         "watches them");
  }
  if (claims == nullptr) claims = new std::vector<Range>;
  claim_heard = note_claim;
  now_.emplace();
  static_cast<Wish&>(*now_) = wish;
  now_->number = ++last_number_;
  net_.send(wish.to,
            LiveBeginHead{Kind::kLiveBegin, now_->number, wish.id, t->heap.address_bytes()});
}

// `tell`: the target may give back what it has.
void LiveSource::end_session(bool tell) {
  if (tell) net_.send(now_->to, LiveEndHead{Kind::kLiveEnd, now_->number});
  now_.reset();
  watch_until_ns_ = now_ns() + kWatchOnNs;
}

void LiveSource::on_ready(int, const LiveWordHead& head) {
  if (!now_ || now_->number != head.number) return;
  Tcb* t = here(*now_);
  if (t != nullptr && head.why[0] == '\0') {
    now_->accepted = true;
    begin_pass(t);
    return;
  }
  const Wish wish = *now_;
  end_session(t == nullptr);
  if (t != nullptr) make_ordinary(wish, head.why);
}

// A target answers for its pieces in their order; one of a move before this may still have to.
void LiveSource::on_taken(const LiveTakenHead& head) {
  const auto piece = std::find_if(pieces_.begin(), pieces_.end(), [&head](const Piece& p) {
    return !p.taken && p.number == head.number;
  });
  ROAM_CHECK(piece != pieces_.end(), "pages of live move %u have come, and none were sent",
             head.number);
  piece->taken = true;
  if (!now_ || now_->number != head.number) return;
  now_->taken_bytes += piece->bytes;
  if (head.dropped != 0) return;  // they are sent again
  now_->taken.insert(now_->taken.end(), piece->same.begin(), piece->same.end());
}

// MPI may see a little later than the answer comes that they have left.
void LiveSource::look_after_pieces() {
  while (!pieces_.empty() && pieces_.front().taken && pieces_.front().bulk->done()) {
    buffers_.push_back(std::move(pieces_.front().memory));
    pieces_.pop_front();
  }
}

void LiveSource::on_lost(const LiveWordHead& head) {
  if (!now_ || now_->number != head.number) return;
  const Wish wish = *now_;
  const bool asked = now_->asked;
  end_session(true);
  if (here(wish) == nullptr) return;
  if (asked)
    note_ordinary(wish.id, wish.t->name(), head.why);
  else
    make_ordinary(wish, head.why);
}

void LiveSource::poll() {
  look_after_pieces();
  if (scheduler().stands_still()) return;
  ask_those_made_ordinary();
  while (!now_ && !waiting_.empty()) {
    const Wish wish = waiting_.front();
    waiting_.pop_front();
    begin(wish);
  }
  if (now_) {
    step();
  } else if (watches() && now_ns() >= watch_until_ns_) {
    end_watch();
    buffers_.clear();
  }
}

void LiveSource::step() {
  Session& s = *now_;
  Tcb* t = here(s);
  // It has ended, or left; or it was asked to move by who does not know of this.
  if (t == nullptr) return end_session(true);
  if (t->state == detail::State::kDeparting || scheduler().stands_still()) return;
  if (t->move_to != (s.asked ? s.to : -1)) return end_session(true);
  if (!s.accepted) return;
  if (s.passing) return send_some();
  const std::int64_t now = now_ns();
  if (now - s.asked_ns > kMostHeldNs) {
    note_ordinary(s.id, t->name(), "it was held on its rank for too long when it was to go");
    return end_session(true);
  }
  if (now >= s.next_pass_ns) begin_pass(t);
}

void LiveSource::begin_pass(Tcb* t) {
  Session& s = *now_;
  s.parts = parts_of(*t);
  s.next_part = 0;
  s.passing = true;
  s.pass_bytes = 0;
  s.pass_begin_ns = now_ns();
}

void LiveSource::end_pass(Tcb* t) {
  Session& s = *now_;
  s.passing = false;
  ++s.passes;
  const std::int64_t now = now_ns();
  const double rate = static_cast<double>(s.pass_bytes) /
                      static_cast<double>(std::max<std::int64_t>(now - s.pass_begin_ns, 1));
  if (s.pass_bytes >= kLeastHeapBytes || s.bytes_a_ns == 0) s.bytes_a_ns = rate;
  if (s.asked) {
    s.pause_ns = std::min(2 * s.pause_ns, kLongestPauseNs);
    s.next_pass_ns = now + s.pause_ns;
    return;
  }
  const bool fits =
      static_cast<double>(s.pass_bytes) <= s.bytes_a_ns * static_cast<double>(s.most_still_ns);
  s.not_less = s.pass_bytes > s.last_pass_bytes / 4 * 3 ? s.not_less + 1 : 0;
  s.last_pass_bytes = s.pass_bytes;
  if (!fits && s.not_less < kMostNotLess && s.passes < kMostPasses) return begin_pass(t);
  if (!fits) {
    s.why = text("what it writes did not get less: %s were left after %u rounds, at %s/s",
                 bytes_text(s.pass_bytes).c_str(), s.passes,
                 bytes_text(static_cast<unsigned long long>(s.bytes_a_ns * 1e9)).c_str());
  }
  ask_to_move(t);
}

void LiveSource::ask_to_move(Tcb* t) {
  Session& s = *now_;
  s.asked = true;
  s.asked_ns = now_ns();
  s.pause_ns = kFirstPauseNs;
  s.next_pass_ns = s.asked_ns + s.pause_ns;
  scheduler().ask_to_move(t, s.to);
}

// ---- pages ----

void LiveSource::send_some() {
  Session& s = *now_;
  const std::uint64_t before = s.sent_bytes;
  int looks = 0;
  while (s.sent_bytes == before && pieces_.size() < kMostPieces) {
    if (s.next_to_send < s.to_send.size()) {
      send_pages();
      continue;
    }
    if (s.next_part == s.parts.size()) {
      if (s.taken_bytes == s.sent_bytes) end_pass(s.t);
      return;
    }
    if (++looks > 8) return;  // a part of which all is known takes little
    if (!look_at_next()) {
      const Wish wish = s;
      const bool asked = s.asked;
      end_session(true);
      end_watch();
      constexpr const char* kWhy = "the kernel did not tell which pages were written";
      if (asked)
        note_ordinary(wish.id, wish.t->name(), kWhy);
      else
        make_ordinary(wish, kWhy);
      return;
    }
  }
}

// The next part of this pass.
bool LiveSource::look_at_next() {
  Session& s = *now_;
  std::vector<Range> parts;
  for (std::size_t left = s.passes == 0 ? kPartBytes : kKnownPartBytes;
       left != 0 && s.next_part < s.parts.size();) {
    Range& part = s.parts[s.next_part];
    const std::size_t bytes = std::min(left, part.bytes);
    parts.push_back({part.begin, bytes});
    part.begin += bytes;
    part.bytes -= bytes;
    left -= bytes;
    if (part.bytes == 0) ++s.next_part;
  }
  if (!look(parts)) return false;
  // All of `parts` that exists and is not known to be there.
  std::vector<Range> exist = clean_;
  exist.insert(exist.end(), found_.begin(), found_.end());
  s.to_send = without(common(parts, joined(std::move(exist))), s.there);
  s.next_to_send = 0;
  return true;
}

// Protects `parts`, and leaves in `there` what is still so.
bool LiveSource::look(const std::vector<Range>& parts) {
  Session& s = *now_;
  s.there.insert(s.there.end(), s.taken.begin(), s.taken.end());
  s.there = joined(std::move(s.there));
  s.taken.clear();
  const auto take_away = [&](const std::vector<Range>& pages) {
    s.there = without(s.there, pages);
    for (Piece& piece : pieces_) piece.same = without(piece.same, pages);
  };
  if (!claims->empty()) {
    const std::vector<Range> came = joined(std::exchange(*claims, {}));
    written_.others_wrote(came);
    take_away(came);
  }
  if (!written_.protect_parts(parts, &clean_, &found_)) return false;
  clean_ = without(joined(std::move(clean_)), found_);
  take_away(found_);
  take_away(without(parts, clean_));
  return true;
}

// A piece of pages that are here still.
void LiveSource::send_pages() {
  Session& s = *now_;
  iso::Arena& arena = iso::arena();
  Mpi& mpi = net_.mpi();
  if (buffers_.empty()) buffers_.push_back(std::make_unique_for_overwrite<char[]>(kPieceBytes));
  Piece piece{s.number, {}, 0, {}, std::move(buffers_.back()), mpi.start_bulk()};
  buffers_.pop_back();
  MemorySink copy(piece.memory.get());
  const std::size_t most = (mpi.most_bytes() - sizeof(LivePagesHead)) / sizeof(Range);
  while (s.next_to_send < s.to_send.size() && piece.bytes < kPieceBytes &&
         piece.ranges.size() < most) {
    Range& left = s.to_send[s.next_to_send];
    if (left.bytes == 0) {
      ++s.next_to_send;
      continue;
    }
    const Address unit_end = round_down(left.begin, iso::kUnitBytes) + iso::kUnitBytes;
    const Range pages{left.begin,
                      std::min({left.bytes, unit_end - left.begin, kPieceBytes - piece.bytes})};
    left.begin += pages.bytes;
    left.bytes -= pages.bytes;
    // Given up by the thread since the look, it may be sealed.
    if (!iso::lives(arena.units().kind(pages.begin))) continue;
    arena.reach(pages);
    copy.memory(pages);
    piece.bytes += pages.bytes;
    if (!piece.ranges.empty() && piece.ranges.back().end() == pages.begin)
      piece.ranges.back().bytes += pages.bytes;
    else
      piece.ranges.push_back(pages);
  }
  if (piece.bytes == 0) {
    buffers_.push_back(std::move(piece.memory));
    return;
  }
  const LivePagesHead head{Kind::kLivePages, s.number, piece.ranges.size(), piece.bytes};
  MemorySink message(mpi.compose(sizeof head + piece.ranges.size() * sizeof(Range)));
  message.copy(&head, sizeof head);
  message.copy(piece.ranges.data(), piece.ranges.size() * sizeof(Range));
  mpi.send(s.to);
  piece.bulk->send(s.to, kLiveTag, piece.memory.get(), piece.bytes);
  s.sent_bytes += piece.bytes;
  s.pass_bytes += piece.bytes;
  bytes_ahead += piece.bytes;
  piece.same = piece.ranges;
  pieces_.push_back(std::move(piece));
}

// ---- the departure ----

bool LiveSource::leaves(Tcb* t, int to) {
  std::erase_if(waiting_, [t](const Wish& wish) { return wish.id == id_of(t); });
  if (!now_ || now_->id != id_of(t)) return false;
  Session& s = *now_;
  s.still_ns = now_ns();
  if (s.to != to || !s.accepted || !look(parts_of(*t))) {
    end_session(true);
    return false;
  }
  return true;
}

std::vector<Range> LiveSource::send_there(std::uint32_t transfer, const Image& image) {
  Session& s = *now_;
  std::vector<Range> wanted;
  wanted.reserve(image.runs.size());
  for (const Range& run : image.runs) wanted.push_back(pages_of(run));
  const std::vector<Range> there = common(s.there, joined(std::move(wanted)));
  std::vector<Range> fresh = fresh_of(image, there);

  Mpi& mpi = net_.mpi();
  const std::size_t most = (mpi.most_bytes() - sizeof(LiveThereHead)) / sizeof(Range);
  std::size_t at = 0;
  do {
    const std::size_t count = std::min(most, there.size() - at);
    const bool more = at + count < there.size();
    const LiveThereHead head{Kind::kLiveThere, s.number, transfer,
                             static_cast<std::uint32_t>(count), more};
    MemorySink message(mpi.compose(sizeof head + count * sizeof(Range)));
    message.copy(&head, sizeof head);
    message.copy(there.data() + at, count * sizeof(Range));
    mpi.send(s.to);
    at += count;
  } while (at < there.size());
  reports_.note(s.id, {.live = true,
                       .pending = true,
                       .rounds = s.passes,
                       .bytes_running = s.sent_bytes,
                       .bytes_still = bytes_of(fresh),
                       .still_ns = now_ns() - s.still_ns,
                       .why = s.why});
  end_session(false);
  return fresh;
}

void LiveSource::give_up() { end_session(true); }

std::string LiveSource::describe() const {
  if (!now_) return {};
  return text("pages of thread '%s' are sent to rank %d ahead of it: %s so far, in %u rounds\n",
              here(*now_) == nullptr ? "?" : now_->t->name(), now_->to,
              bytes_text(now_->sent_bytes).c_str(), now_->passes);
}

}  // namespace roam::runtime
