#include "runtime/move/mover.h"

#include <x86intrin.h>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/in_process.h"
#include "runtime/check/pointer_check.h"
#include "runtime/trace/trace.h"
#include "threads/scheduler.h"
#include "threads/slots.h"

namespace roam::runtime {

using threads::scheduler;

namespace {

Mover* the_mover = nullptr;  // of the run

std::uint64_t id_of(const Tcb* t) { return t->id.load(std::memory_order_relaxed); }

// In place of the function of a thread that could not get to where it was to start.
void refuse_to_start(void* closure) {
  scheduler().current()->destroy(closure);
  iso::in_process([] {
    const Tcb* self = scheduler().current();
    Errc code = Errc::out_of_memory;
    std::string why = the_mover->take_refusal(self, &code);
    if (why.empty()) why = "it was refused before this job was restarted";
    throw Error(code, text("spawn: thread '%s' cannot start: %s", self->name(), why.c_str()));
  });
}

}  // namespace

Mover::Mover(Net& net, Locator& locator, OpenObjects& open_objects, const Options& options)
    : net_(net),
      locator_(locator),
      open_objects_(open_objects),
      verbose_(options.verbose),
      live_(net, locator, options),
      migrator_(net.mpi(), live_, *this, options.eager_bytes, options.keep_bytes) {
  the_mover = this;
}

Mover::Counts Mover::counts() const {
  Counts counts = counts_;
  counts.bytes += live_.source().bytes_ahead - migrator_.bytes_refused;
  return counts;
}

// ---- leaving ----

void Mover::depart(Tcb* t, int to) {
  to = net_.home_rank(to);  // it may have named a rank of a job that had more
  if (to == net_.rank()) {
    scheduler().resume_arrived(t);
    return;
  }
  forget_refusal(id_of(t));
  if (!threads::Scheduler::may_move(t)) return stay(t, to);
  if (t->role != nullptr && !member_departs(t, to)) return;
  if (the_check != nullptr) the_check->leaves(t, to);
  std::vector<std::vector<char>> messages;  // to those that wait for it, who follow it
  if (t->joiner != nullptr || t->has_joiners) joiners_->take(t, &messages);
  if (verbose_ > 1) {
    report(text("thread '%s' goes from rank %d to rank %d", t->name(), net_.rank(), to).c_str());
  }
  const std::uint64_t begin_ticks = the_trace != nullptr ? __rdtsc() : 0;
  const std::uint64_t id = id_of(t);
  const std::uint64_t hop = t->hops + 1;
  const std::uint64_t bytes_before = migrator_.bytes_out;
  const bool asked = !t->destined;  // while it is here
  scheduler().slots().left(t);
  if (net_.same_node(to)) {
    ++t->hops;
    live_.tell(t, to);
    scheduler().slots().add_live(-1);
    t->rank.store(to, std::memory_order_release);
    net_.hand_off(to, t);
  } else {
    ++counts_.between_nodes;
    migrator_.depart(t, to);
  }
  ++counts_.all;
  counts_.bytes += migrator_.bytes_out - bytes_before;
  if (the_trace != nullptr)
    the_trace->departed(id, hop, to, migrator_.bytes_out - bytes_before, begin_ticks, asked);
  for (const std::vector<char>& message : messages) net_.send_long(to, message);
}

// Since it was to go, others have begun to wait on what lies in its memory. It goes when they have
// been served, to where it was asked to be last; who moves itself is told.
void Mover::stay(Tcb* t, int to) {
  const bool itself = t->destined;
  if (itself) {
    refusals_[id_of(t)] = {Errc::pinned, text("thread '%s' cannot leave rank %d now: %s", t->name(),
                                              net_.rank(), open_objects_.pinned_by(t).c_str())};
    if (t->entry != nullptr && !t->begins_anywhere) t->entry = refuse_to_start;
  }
  if (!itself && t->move_to < 0) t->move_to = to;
  scheduler().resume_arrived(t);
}

// False: it stays, for a while or for good.
bool Mover::member_departs(Tcb* t, int to) {
  switch (members_->departs(t, !net_.same_node(to))) {
    case Departure::kGo:
      return true;
    case Departure::kWait:
      waiting_.emplace_back(t, to);
      set_due(true);
      return false;
    case Departure::kNoMemory:
      refusals_[id_of(t)] = {Errc::out_of_memory,
                             "there is no memory for copies of its messages that were not "
                             "received: " +
                                 iso::arena().limit().shortage()};
      scheduler().resume_arrived(t);
      return false;
  }
  return false;
}

void Mover::poll() {
  std::vector<std::pair<Tcb*, int>> again;
  again.swap(waiting_);
  for (const auto& [t, to] : again) depart(t, to);
  set_due(!waiting_.empty());
}

// The home rank that sent the thread itself needs no message.
void Mover::departed(std::uint64_t id, int to, std::uint64_t hops) {
  scheduler().slots().add_live(-1);
  Directory* directory = locator_.directory_of(id);
  if (directory != nullptr && !directory->ended(id)) directory->set_away(id, to, hops);
}

void Mover::refused(Tcb* t, int to, Errc code, const char* why, Target joiner) {
  const std::string full = text("rank %d cannot take the thread: %s", to, why);
  if (joiner.id != 0) {
    joiners_->remains_refused(t, to, code, why, joiner);
    return;
  }
  refusals_[id_of(t)] = {code, full};
  if (t->entry != nullptr && t->destined && !t->begins_anywhere) t->entry = refuse_to_start;
  --counts_.all;
  --counts_.between_nodes;
  if (the_trace != nullptr) the_trace->refused(id_of(t), t->hops, to, t->name());
  scheduler().slots().came(t);
  if (t->role != nullptr) members_->came(t);
  live_.refused(t, full);
  if (verbose_ > 0) report(text("thread '%s' stays: %s", t->name(), full.c_str()).c_str());
  scheduler().resume_arrived(t);
}

std::string Mover::take_refusal(const Tcb* t, Errc* code) {
  const auto it = refusals_.find(id_of(t));
  if (it == refusals_.end()) return "";
  *code = it->second.code;
  std::string why = std::move(it->second.why);
  refusals_.erase(it);
  return why;
}

// ---- coming ----

bool Mover::take_hand_offs() {
  Tcb* t = net_.own_inbox().take();
  if (t == nullptr) return false;
  while (t != nullptr) {
    Tcb* next = t->next;
    net_.count_take();
    scheduler().slots().add_live(1);
    scheduler().slots().came(t);
    threads::Slots::welcome(t);
    if (the_trace != nullptr) the_trace->arrived(id_of(t), t->hops, t->name());
    if (t->role != nullptr) members_->came(t);
    scheduler().resume_arrived(t);
    t = next;
  }
  return true;
}

void Mover::arrived(Tcb* t, int from, Target joiner) {
  if (joiner.id != 0) {
    joiners_->remains_came(t, joiner);
    return;
  }
  scheduler().slots().add_live(1);
  scheduler().slots().came(t);
  if (the_trace != nullptr) the_trace->arrived(id_of(t), t->hops, t->name());
  if (t->role != nullptr) members_->came(t);
  live_.arrived(t, from);
  locator_.note_arrival(id_of(t), t->hops, from);
  scheduler().resume_arrived(t);
}

// ---- being asked to move ----

void Mover::move(Tcb* self, Target t, int to, Answer* answer, std::uint32_t live_us) {
  self->answer = answer;
  try_move({Kind::kMove, to, t, {id_of(self), self}, net_.rank(), live_us});
}

void Mover::try_move(const MoveHead& head) {
  int there = 0;
  switch (locator_.locate(head.target, &there)) {
    case Locator::Where::kHere: {
      Tcb* t = head.target.control;
      open_objects_.take_closed();
      if (t->pins > 0 || t->open_objects > 0) {
        answer_move(head, Errc::pinned,
                    text("migrate: thread '%s' stays on rank %d: %s", t->name(), net_.rank(),
                         open_objects_.pinned_by(t).c_str()));
        return;
      }
      if (head.live_us != 0 && head.to != net_.rank()) {
        live_.ask(t, head.to, std::int64_t{head.live_us - 1} * 1000);
      } else {
        live_.forget(id_of(t));
        scheduler().ask_to_move(t, head.to);
      }
      answer_move(head, Errc{}, "");
      return;
    }
    case Locator::Where::kThere:
      net_.send(there, head);
      return;
    case Locator::Where::kEnded:
      answer_move(head, Errc::thread_ended,
                  text("migrate: the thread with id %llu has ended",
                       static_cast<unsigned long long>(head.target.id)));
      return;
    case Locator::Where::kUnknown:
      answer_move(head, Errc::no_such_thread,
                  text("migrate: no thread ever had the id %llu",
                       static_cast<unsigned long long>(head.target.id)));
      return;
    case Locator::Where::kLater:
      net_.keep_for_later(head);
      return;
  }
}

void Mover::answer_move(const MoveHead& head, Errc code, const std::string& why) {
  if (head.asker_rank == net_.rank()) {
    give_answer(head.asker, code, why.c_str());
    return;
  }
  MovedHead reply;
  reply.kind = Kind::kMoved;
  reply.code = code;
  reply.asker = head.asker;
  copy_text(reply.why, why.c_str());
  net_.send_to_why(head.asker_rank, reply);
}

std::span<const Kind> Mover::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kMove, Kind::kMoved};
  return kOwn;
}

void Mover::handle(int, const char* message, std::size_t bytes) {
  if (read<Kind>(message) == Kind::kMove) {
    try_move(read<MoveHead>(message));
    return;
  }
  const auto head = read_to_why<MovedHead>(message, bytes);
  give_answer(head.asker, head.code, head.why);
}

}  // namespace roam::runtime
