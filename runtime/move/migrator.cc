#include "runtime/move/migrator.h"

#include <x86intrin.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/clock.h"
#include "isomalloc/arena.h"
#include "runtime/image/codec.h"
#include "runtime/image/landing.h"
#include "threads/scheduler.h"

namespace roam::runtime {
namespace {

// Shorter runs are gathered and sent together: a message costs more than copying so much.
constexpr std::size_t kGatherBytes = 32 << 10;
// A thread that stayed no longer than this the last time, some 10 us, will leave again at once: it
// takes the answer to its arrival along.
constexpr std::uint64_t kBriefTicks = 25'000;
constexpr int kFirstTag = 16;
constexpr int kTags = 30'000;

int tag_of(std::uint32_t transfer) { return kFirstTag + static_cast<int>(transfer % kTags); }

// How the runs of an image are grouped in messages; both sides compute it from the same list. Calls
// `direct(run)` for long runs and `gathered(runs, bytes)` for groups of short ones.
template <class Direct, class Gathered>
void group(const std::vector<Range>& runs, Direct direct, Gathered gathered) {
  std::vector<Range> few;
  std::size_t bytes = 0;
  const auto flush = [&] {
    if (!few.empty()) gathered(few, bytes);
    few.clear();
    bytes = 0;
  };
  for (const Range& run : runs) {
    if (run.bytes >= kGatherBytes) {
      direct(run);
      continue;
    }
    if (bytes + run.bytes > Staging::kMostBytes) flush();
    few.push_back(run);
    bytes += run.bytes;
  }
  flush();
}

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
  close_for_image(t);
  plan_image(*t, !remains, &d.image);
  ImageHead head{};
  head.transfer = transfer;
  head.id = d.id;
  head.control = t;
  head.bytes = d.image.bytes;
  head.sleep_left_ns =
      t->deadline_ns != 0 ? std::max<std::int64_t>(t->deadline_ns - now_ns(), 0) : -1;
  head.joiner = joiner.id;
  head.joiner_control = joiner.control;
  head.marks = static_cast<std::uint32_t>(d.image.marks.size());
  head.runs = static_cast<std::uint32_t>(d.image.runs.size());
  ++moves_out;
  bytes_out += d.image.bytes;

  if (answers_.size() == 1 && answers_[0].to == to) {
    head.answers = 1;
    head.answered = answers_[0].transfer;
    answers_.clear();
  } else if (!answers_.empty()) {
    flush_answers();
  }
  const std::size_t lists = sizeof head + head.marks * sizeof(Mark) + head.runs * sizeof(Range);
  if (lists + d.image.bytes <= std::min(eager_bytes_, mpi_.most_bytes())) {
    head.kind = Kind::kImage;
    char* at = mpi_.compose(lists + d.image.bytes);
    at = put(at, &head, 1);
    at = put(at, d.image.marks.data(), head.marks);
    at = put(at, d.image.runs.data(), head.runs);
    for (const Range& run : d.image.runs)
      at = put(at, static_cast<const char*>(run.pointer()), run.bytes);
    leave(d, transfer);
    mpi_.send(to);
  } else {
    // As on arrival: the kernel may read them without a handler of ours.
    for (const Range& run : d.image.runs) iso::arena().reach(run);
    leave(d, transfer);
    offer(d, head);
  }
}

// Before the first message: the thread may be back, on another rank of this node, before the answer
// is read here.
void Migrator::leave(const Record& d, std::uint32_t transfer) {
  for (const Mark& mark : d.image.marks) iso::arena().leave(mark.range, transfer);
}

void Migrator::offer(Record& d, const ImageHead& offered) {
  ImageHead head = offered;
  head.kind = Kind::kOffer;
  const std::vector<Mark>& marks = d.image.marks;
  const std::vector<Range>& runs = d.image.runs;
  std::size_t mark = 0, run = 0;
  // As much of the lists as fits behind the first head, the rest behind as many others as it takes.
  for (bool first = true; first || mark < marks.size() || run < runs.size(); first = false) {
    const std::size_t room = mpi_.most_bytes() - std::max(sizeof(ImageHead), sizeof(MoreHead)) -
                             2 * sizeof(std::uint32_t);
    const std::size_t more_marks = std::min(marks.size() - mark, room / sizeof(Mark));
    const std::size_t more_runs =
        std::min(runs.size() - run, (room - more_marks * sizeof(Mark)) / sizeof(Range));
    const std::uint32_t counts[2] = {static_cast<std::uint32_t>(more_marks),
                                     static_cast<std::uint32_t>(more_runs)};
    char* at = mpi_.compose((first ? sizeof head : sizeof(MoreHead)) + sizeof counts +
                            more_marks * sizeof(Mark) + more_runs * sizeof(Range));
    const MoreHead more{Kind::kOfferMore, head.transfer};
    at = first ? put(at, &head, 1) : put(at, &more, 1);
    at = put(at, counts, 2);
    at = put(at, marks.data() + mark, more_marks);
    put(at, runs.data() + run, more_runs);
    mpi_.send(d.to);
    mark += more_marks;
    run += more_runs;
  }
}

void Migrator::on_accept(std::uint32_t transfer) {
  Record& d = records_[transfer];
  d.bulk = mpi_.start_bulk();
  bulk_leaving_.push_back(transfer);
  const int tag = tag_of(transfer);
  group(
      d.image.runs, [&](Range run) { d.bulk->send(d.to, tag, run.pointer(), run.bytes); },
      [&](const std::vector<Range>& runs, std::size_t bytes) {
        d.staging.push_back(staging_.take(bytes));
        char* at = d.staging.back().memory.get();
        for (const Range& run : runs)
          at = put(at, static_cast<const char*>(run.pointer()), run.bytes);
        d.bulk->send(d.to, tag, d.staging.back().memory.get(), bytes);
      });
}

// The bytes of a large thread are all sent when the target says that it has them; MPI may see that
// a little later than its answer.
void Migrator::on_taken(std::uint32_t transfer) {
  Record& d = records_[transfer];
  d.taken = true;
  if (d.bulk == nullptr) let_go(d, transfer);
}

void Migrator::on_refuse(const RefusalHead& refusal) {
  Record& d = records_[refusal.transfer];
  take_back(d.image);
  reopen(d.t);
  if (d.joiner.id == 0) bytes_refused += d.image.bytes;
  --leaving_;
  d.state = Record::State::kUnused;
  unused_.push_back(refusal.transfer);
  listener_.refused(d.t, d.to, refusal.code, refusal.why, d.joiner);
}

// ---- the target ----

// All bytes are in place: the thread is here.
void Migrator::settle(const ImageHead& head, const Image& image, int from) {
  Tcb* t = head.control;
  t->rank.store(mpi_.rank(), std::memory_order_relaxed);
  t->returns = head.returns;
  if (head.joiner == 0) {
    if (head.returns) forget_kept(head.id, t);
    t->arrived_ticks = __rdtsc();
  }
  land(image, mpi_.rank(), head.joiner != 0);
  if (t->deadline_ns != 0)
    t->deadline_ns = now_ns() + std::max<std::int64_t>(head.sleep_left_ns, 0);
  reopen(t);
  listener_.arrived(t, from, head);
  if (head.returns && head.joiner == 0 && t->brief) {
    answers_.push_back({from, head.transfer});
  } else {
    reply(from, Kind::kTaken, head.transfer);
  }
}

void Migrator::flush_answers() {
  for (const Answer& answer : answers_) reply(answer.to, Kind::kTaken, answer.transfer);
  answers_.clear();
}

void Migrator::on_image(int from, const char* message) {
  ImageHead head;
  std::memcpy(&head, message, sizeof head);
  if (head.answers != 0) on_taken(head.answered);
  Image& image = arriving_;
  image.bytes = head.bytes;
  image.marks.clear();
  image.runs.clear();
  const char* at = get(message + sizeof head, image.marks, head.marks);
  at = get(at, image.runs, head.runs);
  Errc code{};
  std::string why;
  if (!claim(image, &head.returns, &code, &why)) {
    refuse(from, head.transfer, code, why);
    return;
  }
  for (const Range& run : image.runs) {
    std::memcpy(run.pointer(), at, run.bytes);
    at += run.bytes;
  }
  settle(head, image, from);
}

void Migrator::on_offer(int from, const char* message, std::size_t bytes) {
  ImageHead head;
  std::memcpy(&head, message, sizeof head);
  if (head.answers != 0) on_taken(head.answered);
  Arrival& a = arrivals_[{from, head.transfer}];
  a.head = head;
  a.from = from;
  a.image.bytes = head.bytes;
  on_more(from, message, bytes);
}

void Migrator::on_more(int from, const char* message, std::size_t) {
  MoreHead more;
  std::memcpy(&more, message, sizeof more);  // both heads begin with kind and transfer
  Arrival& a = arrivals_.at({from, more.transfer});
  const char* at = message + (more.kind == Kind::kOffer ? sizeof(ImageHead) : sizeof(MoreHead));
  std::uint32_t counts[2];
  std::memcpy(counts, at, sizeof counts);
  at = get(at + sizeof counts, a.image.marks, counts[0]);
  get(at, a.image.runs, counts[1]);
  if (a.image.marks.size() == a.head.marks && a.image.runs.size() == a.head.runs)
    consider({from, more.transfer});
}

void Migrator::consider(const Key& key) {
  Arrival& a = arrivals_.at(key);
  Errc code{};
  std::string why;
  if (!claim(a.image, &a.head.returns, &code, &why)) {
    refuse(a.from, key.second, code, why);
    arrivals_.erase(key);
    return;
  }
  a.bulk = mpi_.start_bulk();
  const int tag = tag_of(key.second);
  group(
      a.image.runs, [&](Range run) { a.bulk->receive(a.from, tag, run.pointer(), run.bytes); },
      [&](const std::vector<Range>& runs, std::size_t bytes) {
        a.staging.push_back(staging_.take(bytes));
        char* staged = a.staging.back().memory.get();
        a.scatter.emplace_back(staged, runs);
        a.bulk->receive(a.from, tag, staged, bytes);
      });
  reply(a.from, Kind::kAccept, key.second);
}

void Migrator::reply(int to, Kind kind, std::uint32_t transfer) {
  const TransferHead head{kind, transfer};
  put(mpi_.compose(sizeof head), &head, 1);
  mpi_.send(to);
}

void Migrator::refuse(int to, std::uint32_t transfer, Errc code, const std::string& why) {
  RefusalHead head{Kind::kRefuse, transfer, code, {}};
  std::strncpy(head.why, why.c_str(), sizeof head.why - 1);
  put(mpi_.compose(sizeof head), &head, 1);
  mpi_.send(to);
}

// ---- both ----

std::span<const Kind> Migrator::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kImage,  Kind::kOffer,  Kind::kOfferMore,
                                  Kind::kAccept, Kind::kRefuse, Kind::kTaken};
  return kOwn;
}

void Migrator::handle(int from, const char* message, std::size_t bytes) {
  set_due(true);
  switch (read<Kind>(message)) {
    case Kind::kImage:
      return on_image(from, message);
    case Kind::kOffer:
      return on_offer(from, message, bytes);
    case Kind::kOfferMore:
      return on_more(from, message, bytes);
    case Kind::kAccept:
      return on_accept(read<TransferHead>(message).transfer);
    case Kind::kTaken:
      return on_taken(read<TransferHead>(message).transfer);
    default:
      return on_refuse(read<RefusalHead>(message));
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
    for (const auto& [staged, runs] : a.scatter) {
      const char* at = staged;
      for (const Range& run : runs) {
        std::memcpy(run.pointer(), at, run.bytes);
        at += run.bytes;
      }
    }
    staging_.give_back(a.staging);
    const Arrival done = std::move(a);
    it = arrivals_.erase(it);
    settle(done.head, done.image, done.from);
  }
  std::erase_if(bulk_leaving_, [this](std::uint32_t transfer) {
    Record& d = records_[transfer];
    if (!d.taken || !d.bulk->done()) return false;
    d.bulk.reset();
    staging_.give_back(d.staging);
    let_go(d, transfer);
    return true;
  });
}

}  // namespace roam::runtime
