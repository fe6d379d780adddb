#include "runtime/move/migrator.h"

#include <x86intrin.h>

#include <algorithm>
#include <cstring>

#include "isomalloc/arena.h"
#include "runtime/image/codec.h"
#include "runtime/image/landing.h"
#include "runtime/image/memory_stream.h"
#include "runtime/image/pieces.h"
#include "runtime/move/live_moves.h"
#include "threads/scheduler.h"

namespace roam::runtime {
namespace {

// A thread that stayed no longer than this the last time, some 10 us, will leave again at once: it
// takes the answer to its arrival along.
constexpr std::uint64_t kBriefTicks = 25'000;
constexpr int kFirstTag = 16;
constexpr int kTags = 30'000;

int tag_of(std::uint32_t transfer) { return kFirstTag + static_cast<int>(transfer % kTags); }

// Sends the lists of a large image in as many messages as they take. Its bytes go by themselves
// once the offer is accepted.
class OfferSink {
 public:
  OfferSink(Mpi& mpi, int to, const OfferHead& head)
      : mpi_(mpi), to_(to), transfer_(head.carry.transfer), left_(head.bytes) {
    begin(head);
  }
  void copy(const void* from, std::size_t bytes) {
    for (const char* next = static_cast<const char*>(from); bytes != 0;) {
      const std::size_t part = std::min(bytes, room_);
      message_.copy(next, part);
      next += part;
      bytes -= part;
      room_ -= part;
      if (room_ != 0) continue;
      mpi_.send(to_);
      if (left_ != 0) begin(MoreHead{Kind::kOfferMore, transfer_});
    }
  }
  void memory(Range) {}

 private:
  template <class Head>
  void begin(const Head& head) {
    room_ = std::min(left_, mpi_.most_bytes() - sizeof head);
    left_ -= room_;
    message_ = MemorySink(mpi_.compose(sizeof head + room_));
    message_.copy(&head, sizeof head);
  }

  Mpi& mpi_;
  int to_;
  std::uint32_t transfer_;
  std::size_t left_;      // of the lists, for later messages
  std::size_t room_ = 0;  // in this one
  MemorySink message_{nullptr};
};

}  // namespace

// ---- the source ----

std::uint32_t Migrator::new_record() {
  if (unused_.empty()) {
    records_.emplace_back();
    return static_cast<std::uint32_t>(records_.size() - 1);
  }
  const std::uint32_t record = unused_.back();
  unused_.pop_back();
  return record;
}

void Migrator::depart(Tcb* t, int to, Target joiner) {
  const bool remains = joiner.id != 0;
  const std::uint64_t id = t->id.load(std::memory_order_relaxed);
  if (!remains) {
    forget_kept(id, t);  // of an earlier stay, after which it came back to another rank of the node
    ++t->hops;
    t->brief = __rdtsc() - t->arrived_ticks < kBriefTicks;
  }
  const std::uint32_t transfer = new_record();
  Record& d = records_[transfer];
  ++leaving_;
  set_due(true);
  d.state = Record::State::kLeaving;
  d.taken = false;
  d.returns = t->returns;
  d.to = to;
  d.t = t;
  d.id = id;
  d.hops = t->hops;
  d.joiner = joiner;
  const ImageOf what = remains ? ImageOf::kRemains : ImageOf::kThread;
  close_for_image(t);
  d.live = !remains && live_.source().leaves(t, to);
  plan_image(*t, what, &d.image, d.live ? &live_.source().mapped() : nullptr, d.live);
  const ImageHead head = head_of(*t, what, d.image);
  CarryHead carry{Kind::kImage, transfer, 0, 0, joiner};
  ++moves_out;

  if (answers_.size() == 1 && answers_[0].to == to) {
    carry.answers = 1;
    carry.answered = answers_[0].transfer;
    answers_.clear();
  } else if (!answers_.empty()) {
    flush_answers();
  }
  const std::size_t bytes = sizeof carry + lists_bytes(d.image) + d.image.bytes;
  const bool small = bytes <= std::min(eager_bytes_, mpi_.most_bytes());
  if (d.live && small) {
    live_.source().give_up();
    d.live = false;
  }
  if (!d.live) {
    d.sent_bytes = d.image.bytes;
    if (!remains) live_.tell(t, to);
  }
  if (small) {
    MemorySink message(mpi_.compose(bytes));
    message.copy(&carry, sizeof carry);
    write_lists(head, d.image, message);
    write_bytes(d.image, message);
    leave(d, transfer);
    mpi_.send(to);
  } else {
    // As on arrival: the kernel may read them without a handler of ours.
    for (const Range& run : d.image.runs) iso::arena().reach(run);
    leave(d, transfer);
    if (d.live) {
      d.fresh = live_.source().send_there(transfer, d.image);
      d.sent_bytes = bytes_of(d.fresh);
      live_.tell(t, to);
    }
    offer(d, carry, head);
  }
  bytes_out += d.sent_bytes;
}

// Before the first message: the thread may be back, on another rank of this node, before the answer
// is read here.
void Migrator::leave(const Record& d, std::uint32_t transfer) {
  for (const Mark& mark : d.image.marks) iso::arena().departures().leave(mark.range, transfer);
}

void Migrator::offer(Record& d, const CarryHead& carry, const ImageHead& head) {
  OfferHead offer{carry, lists_bytes(d.image)};
  offer.carry.kind = Kind::kOffer;
  OfferSink sink(mpi_, d.to, offer);
  write_lists(head, d.image, sink);
}

// `all`: what was sent ahead is not there any more.
void Migrator::on_accept(std::uint32_t transfer, bool all) {
  Record& d = records_[transfer];
  if (d.live && all) {
    d.live = false;
    bytes_out += d.image.bytes - d.sent_bytes;
    d.sent_bytes = d.image.bytes;
  }
  d.bulk = mpi_.start_bulk();
  bulk_leaving_.push_back(transfer);
  const int tag = tag_of(transfer);
  for_each_piece(
      d.live ? d.fresh : d.image.runs,
      [&](Range run) { d.bulk->send(d.to, tag, run.pointer(), run.bytes); },
      [&](const std::vector<Range>& runs, std::size_t bytes) {
        d.staging.push_back(staging_.take(bytes));
        MemorySink staged(d.staging.back().memory.get());
        for (const Range& run : runs) staged.memory(run);
        d.bulk->send(d.to, tag, d.staging.back().memory.get(), bytes);
      });
}

// The bytes of a large thread are all sent when the target says that it has them; MPI may see that
// a little later than its answer.
void Migrator::on_taken(std::uint32_t transfer) {
  Record& d = records_[transfer];
  d.taken = true;
  if (d.bulk == nullptr) keep(d, transfer);
}

void Migrator::on_refuse(const RefusalHead& refusal) {
  Record& d = records_[refusal.transfer];
  take_back(d.image);
  reopen(d.t);
  if (d.joiner.id == 0) bytes_refused += d.sent_bytes;
  --leaving_;
  d.state = Record::State::kUnused;
  unused_.push_back(refusal.transfer);
  listener_.refused(d.t, d.to, refusal.code, refusal.why, d.joiner);
}

// ---- the target ----

// All bytes are in place: the thread is here.
void Migrator::settle_in(int from, const CarryHead& carry, const ImageHead& head,
                         const Image& image, bool returns) {
  const bool remains = carry.joiner.id != 0;
  Tcb* t = land(head, image, mpi_.rank());
  t->returns = returns;
  if (!remains) {
    if (returns) forget_kept(head.id, t);
    t->arrived_ticks = __rdtsc();
  }
  listener_.arrived(t, from, carry.joiner);
  if (returns && !remains && t->brief) {
    answers_.push_back({from, carry.transfer});
  } else {
    reply(from, Kind::kTaken, carry.transfer);
  }
}

void Migrator::flush_answers() {
  for (const Answer& answer : answers_) reply(answer.to, Kind::kTaken, answer.transfer);
  answers_.clear();
}

void Migrator::on_image(int from, const char* message, std::size_t bytes) {
  const auto carry = read<CarryHead>(message);
  if (carry.answers != 0) on_taken(carry.answered);
  MemorySource source(message + sizeof carry, bytes - sizeof carry);
  ImageHead head{};
  bool returns = false;
  ImageRefusal refusal;
  if (!read_image(source, &head, &arriving_, &returns, &refusal)) {
    if (carry.joiner.id == 0) live_.not_taken(head.id);
    refuse(from, carry.transfer, refusal);
    return;
  }
  settle_in(from, carry, head, arriving_, returns);
}

void Migrator::on_offer(int from, const char* message, std::size_t bytes) {
  const auto offer = read<OfferHead>(message);
  if (offer.carry.answers != 0) on_taken(offer.carry.answered);
  const Key key{from, offer.carry.transfer};
  Arrival& a = arrivals_[key];
  a.carry = offer.carry;
  a.lists_bytes = offer.bytes;
  a.lists.reserve(offer.bytes);
  add_lists(key, message + sizeof offer, bytes - sizeof offer);
}

void Migrator::on_more(int from, const char* message, std::size_t bytes) {
  const auto more = read<MoreHead>(message);
  add_lists({from, more.transfer}, message + sizeof more, bytes - sizeof more);
}

void Migrator::add_lists(const Key& key, const char* lists, std::size_t bytes) {
  Arrival& a = arrivals_.at(key);
  a.lists.insert(a.lists.end(), lists, lists + bytes);
  if (a.lists.size() == a.lists_bytes) consider(key);
}

void Migrator::consider(const Key& key) {
  Arrival& a = arrivals_.at(key);
  const int from = key.first;
  MemorySource source(a.lists.data(), a.lists.size());
  ImageRefusal refusal;
  bool good = read_lists(source, &a.head, &a.image, &refusal);
  std::vector<Range> there, fresh;
  bool live = good && live_.target().has_there(from, key.second, &there);
  if (live) {
    fresh = fresh_of(a.image, there);
    live = claim(a.image, &a.returns, &refusal, &fresh);
    // What has come counts twice for ROAM_MEMORY. There may be room without it.
    if (!live) live_.target().finish(from, key.second);
  }
  good = good && (live || claim(a.image, &a.returns, &refusal));
  if (!good) {
    live_.target().finish(from, key.second);
    if (a.carry.joiner.id == 0) live_.not_taken(a.head.id);
    refuse(from, key.second, refusal);
    arrivals_.erase(key);
    return;
  }
  if (!live && a.carry.joiner.id == 0) live_.comes_whole(a.head.id, a.image.bytes);
  std::vector<char>().swap(a.lists);
  a.bulk = mpi_.start_bulk();
  const int tag = tag_of(key.second);
  for_each_piece(
      live ? fresh : a.image.runs,
      [&](Range run) { a.bulk->receive(from, tag, run.pointer(), run.bytes); },
      [&](const std::vector<Range>& runs, std::size_t bytes) {
        a.staging.push_back(staging_.take(bytes));
        char* staged = a.staging.back().memory.get();
        a.scatter.emplace_back(MemorySource(staged, bytes), runs);
        a.bulk->receive(from, tag, staged, bytes);
      });
  reply(from, live ? Kind::kAcceptRest : Kind::kAccept, key.second);
  live_.target().finish(from, key.second);
}

template <class Head>
void Migrator::send(int to, const Head& head) {
  std::memcpy(mpi_.compose(sizeof head), &head, sizeof head);
  mpi_.send(to);
}

void Migrator::reply(int to, Kind kind, std::uint32_t transfer) {
  send(to, TransferHead{kind, transfer});
}

void Migrator::refuse(int to, std::uint32_t transfer, const ImageRefusal& refusal) {
  RefusalHead head{Kind::kRefuse, transfer, refusal.code, {}};
  copy_text(head.why, refusal.why.c_str());
  const std::size_t bytes = bytes_to_why(head);
  std::memcpy(mpi_.compose(bytes), &head, bytes);
  mpi_.send(to);
}

// ---- both ----

std::span<const Kind> Migrator::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kImage,  Kind::kOffer, Kind::kOfferMore, Kind::kAccept,
                                  Kind::kRefuse, Kind::kTaken, Kind::kAcceptRest};
  return kOwn;
}

void Migrator::handle(int from, const char* message, std::size_t bytes) {
  set_due(true);
  switch (read<Kind>(message)) {
    case Kind::kImage:
      return on_image(from, message, bytes);
    case Kind::kOffer:
      return on_offer(from, message, bytes);
    case Kind::kOfferMore:
      return on_more(from, message, bytes);
    case Kind::kAccept:
      return on_accept(read<TransferHead>(message).transfer, true);
    case Kind::kAcceptRest:
      return on_accept(read<TransferHead>(message).transfer, false);
    case Kind::kTaken:
      return on_taken(read<TransferHead>(message).transfer);
    default:
      return on_refuse(read_to_why<RefusalHead>(message, bytes));
  }
}

void Migrator::poll() {
  flush_answers();
  if (busy()) progress();
  set_due(busy());
}

void Migrator::progress() {
  for (auto it = arrivals_.begin(); it != arrivals_.end();) {
    Arrival& a = it->second;
    if (a.bulk == nullptr || !a.bulk->done()) {
      ++it;
      continue;
    }
    for (auto& [staged, runs] : a.scatter) {
      for (const Range& run : runs) staged.memory(run);
    }
    staging_.give_back(a.staging);
    const int from = it->first.first;
    const Arrival done = std::move(a);
    it = arrivals_.erase(it);
    settle_in(from, done.carry, done.head, done.image, done.returns);
  }
  std::erase_if(bulk_leaving_, [this](std::uint32_t transfer) {
    Record& d = records_[transfer];
    if (!d.taken || !d.bulk->done()) return false;
    d.bulk.reset();
    staging_.give_back(d.staging);
    keep(d, transfer);
    return true;
  });
}

}  // namespace roam::runtime
