#include "runtime/runtime.h"

#include <sched.h>
#include <x86intrin.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "isomalloc/in_process.h"
#include "runtime/escaped.h"
#include "runtime/node.h"
#include "threads/companions.h"
#include "threads/errands.h"

namespace roam::runtime {
namespace {

using detail::State;
using threads::scheduler;

// How an idle rank backs off: it looks around without pause, then lets other processes run between
// looks, then sleeps, longer each time. A push into its inbox wakes it; a message of MPI does not,
// so the longest sleep bounds the delay.
constexpr int kSpinRounds = 20'000;
constexpr int kSpinRoundsOversubscribed = 20;
constexpr int kYieldRounds = 200;
constexpr std::int64_t kFirstSleepNs = 20'000;
constexpr std::int64_t kLongestSleepNs = 1'000'000;

constexpr int kMostMessagesAPoll = 64;
// While an idle rank spins, it takes part in finding the end of the job once in so many rounds.
constexpr int kRoundsAWave = 16;

}  // namespace

alignas(Runtime) unsigned char runtime_room[sizeof(Runtime)];

// As the scheduler: before any constructor of the program, and never destroyed.
[[gnu::constructor(103)]] static void construct_runtime() { new (runtime_room) Runtime; }

int Runtime::node_of(int rank) const {
  check_rank(rank, "node_of");
  return nodes_.empty() ? 0 : nodes_[static_cast<std::size_t>(rank)];
}

void Runtime::check_rank(int rank, const char* call) const {
  if (rank >= 0 && rank < ranks()) return;
  throw Error(Errc::no_such_rank,
              text("%s: there is no rank %d; the job has ranks 0 to %d", call, rank, ranks() - 1));
}

// ---- beginning and end of threads ----

Target Runtime::name(Tcb* t) {
  const Target target{directory_->new_id(), t};
  t->is_root = root_next_;
  root_next_ = false;
  t->id.store(target.id, std::memory_order_release);
  return target;
}

void Runtime::unname(Tcb* t) {
  directory_->set_ended(t->id.load(std::memory_order_relaxed));
  t->id.store(0, std::memory_order_release);
}

void Runtime::start_named(Tcb* t) {
  scheduler().add_live(1);
  ++termination_.created;
  if (trace_ != nullptr) trace_->named(t->id.load(std::memory_order_relaxed), t->name());
  scheduler().make_ready(t);
}

Target Runtime::begin(Tcb* t, int to) {
  const Target target = name(t);
  if (to != rank()) t->move_to = to;
  start_named(t);
  return target;
}

void Runtime::abandon(Tcb* t, Tcb* spawner) {
  t->move_to = -1;
  if (spawner != nullptr) {
    adopt(spawner, t);
  } else {
    leftovers_[~reinterpret_cast<Address>(t)] = t;  // no thread has such an id: nobody joins it
  }
}

// Slots are used again: nobody may be left in one who waits for an earlier thread.
static void check_joiner(const Tcb* joiner, std::uint64_t id) {
  const Answer* answer = static_cast<const Answer*>(joiner->answer);
  ROAM_CHECK(answer != nullptr && answer->about == id,
             "thread '%s' waits for the end of another thread than %llu", joiner->name(),
             static_cast<unsigned long long>(id));
}

std::vector<JoinHead> Runtime::take_joiners(Tcb* t, std::uint64_t id) {
  std::vector<JoinHead> joiners;
  const Target target{id, t};
  if (Tcb* j = t->joiner; j != nullptr) {
    check_joiner(j, id);
    joiners.push_back({Kind::kJoin, rank(), target, {j->id.load(std::memory_order_relaxed), j}, 0});
    t->joiner = nullptr;
  }
  if (t->has_joiners) {
    const auto it = joiners_.find(id);
    joiners.insert(joiners.end(), it->second.begin(), it->second.end());
    joiners_.erase(it);
    t->has_joiners = false;
  }
  return joiners;
}

// The common end: nothing is left, and at most one thread of this rank waits for it.
bool Runtime::ended_clean(Tcb* t) {
  if (t->long_name != nullptr && t->exception == nullptr) threads::Scheduler::shorten_name(t);
  const std::uint64_t id = t->id.load(std::memory_order_relaxed);
  if (t->exception != nullptr || threads::has_companions(t) || t->has_joiners ||
      home_of(id) != rank() || ends_are_watched_ || !t->heap.release_empty()) {
    return false;
  }
  scheduler().add_live(-1);
  ++termination_.ended;
  if (!refusals_.empty()) refusals_.erase(id);
  directory_->set_ended(id);
  Tcb* joiner = t->joiner;
  t->joiner = nullptr;
  scheduler().retire(t);
  if (joiner != nullptr) {
    check_joiner(joiner, id);
    Answer* answer = static_cast<Answer*>(joiner->answer);
    joiner->answer = nullptr;
    answer->done = true;
    if (joiner->state == State::kBlocked) scheduler().make_ready(joiner);
  }
  return true;
}

void Runtime::ended(Tcb* t) {
  if (ended_clean(t)) return;  // on its own stack it was not asked, or it has no room to rest
  if (check_ != nullptr) check_->ends(t);
  const std::uint64_t id = t->id.load(std::memory_order_relaxed);
  scheduler().add_live(-1);
  ++termination_.ended;
  refusals_.erase(id);
  if (trace_ != nullptr)
    trace_->ended(id, static_cast<std::uint64_t>(scheduler().run_seconds(t) * 1e9));
  const bool failed = t->exception != nullptr;
  if (failed && t->is_root) {
    report_failures();  // the cause of this one may be among them
    fatal("thread '%s' ended with an uncaught exception: %s", t->name(),
          describe(t->exception).c_str());
  }
  if (failed) note_escaped(t);
  threads::sweep_companions(t);
  const bool empty = t->heap.release_empty() && !threads::has_companions(t);
  std::vector<JoinHead> joiners;
  if (t->joiner != nullptr || t->has_joiners) joiners = take_joiners(t, id);
  t->id.store(0, std::memory_order_release);

  const bool waits =
      (failed || !empty) && joiners.empty();  // the exception and the memory, for who joins later
  if (home_of(id) == rank()) {
    directory_->set_ended(id);
  } else {
    send(home_of(id), EndedHead{Kind::kEnded, waits ? 1u : 0u, id, rank()});
  }

  if (!failed && empty) {
    for (const JoinHead& joiner : joiners) answer_join(joiner, Errc{}, "", nullptr);
    scheduler().retire(t);
    return;
  }
  leftovers_[id] = t;
  if (!joiners.empty()) {
    // What is left goes to one of them, best to one that is near.
    const auto nearness = [&](const JoinHead& j) {
      return j.joiner_rank == rank() ? 0 : same_node(j.joiner_rank) ? 1 : 2;
    };
    std::iter_swap(joiners.begin(), std::min_element(joiners.begin(), joiners.end(),
                                                     [&](const auto& a, const auto& b) {
                                                       return nearness(a) < nearness(b);
                                                     }));
    const std::string why =
        failed ? text("the thread ended with %s; another thread that joined it has the exception",
                      describe(t->exception).c_str())
               : "";
    for (std::size_t i = 1; i < joiners.size(); ++i) {
      answer_join(joiners[i], failed ? Errc::thread_ended : Errc{}, why.c_str(), nullptr);
    }
    give_remains(joiners[0], id, t);
  }
  if (leftovers_.size() > swept_leftovers_) {
    sweep_leftovers();
    swept_leftovers_ = std::max<std::size_t>(64, 2 * leftovers_.size());
  }
}

// ---- migration ----

void Runtime::depart(Tcb* t, int to) {
  if (to == rank()) {
    scheduler().resume_arrived(t);
    return;
  }
  if (!refusals_.empty()) refusals_.erase(t->id.load(std::memory_order_relaxed));
  if (t->member != nullptr && !member_departs(t, to)) return;
  if (check_ != nullptr) check_->leaves(t, to);
  std::vector<JoinHead> joiners;
  if (t->joiner != nullptr || t->has_joiners) {
    joiners = take_joiners(t, t->id.load(std::memory_order_relaxed));
  }
  if (options_.verbose > 1) {
    report(text("thread '%s' goes from rank %d to rank %d", t->name(), rank(), to).c_str());
  }
  const std::uint64_t begin_ticks = trace_ != nullptr ? __rdtsc() : 0;
  const std::uint64_t id = t->id.load(std::memory_order_relaxed);
  const std::uint64_t hop = t->hops + 1;
  const std::uint64_t bytes_before = migrator_->bytes_out;
  if (same_node(to)) {
    ++t->hops;
    scheduler().add_live(-1);
    ++termination_.handed_off;
    t->rank.store(to, std::memory_order_release);
    inbox_of(to).push(t);
  } else {
    ++moves_between_nodes_;
    migrator_->depart(t, to);
  }
  ++moves_;
  moved_bytes_ += migrator_->bytes_out - bytes_before;
  if (trace_ != nullptr)
    trace_->departed(id, hop, to, migrator_->bytes_out - bytes_before, begin_ticks);
  for (const JoinHead& joiner : joiners) send(to, joiner);  // they wait there now
}

void Runtime::receive_hand_offs() {
  Tcb* t = inbox_of(rank()).take();
  if (t == nullptr) return;
  idle_rounds_ = 0;
  while (t != nullptr) {
    Tcb* next = t->next;
    ++termination_.taken_over;
    scheduler().add_live(1);
    threads::Scheduler::welcome(t);
    if (trace_ != nullptr)
      trace_->arrived(t->id.load(std::memory_order_relaxed), t->hops, t->name());
    if (t->member != nullptr) member_came(t);
    scheduler().resume_arrived(t);
    t = next;
  }
}

void Runtime::arrived(Tcb* t, int from, const ImageHead& head) {
  if (head.joiner != 0) {
    answer_here({head.joiner, head.joiner_control}, Errc{}, "", t);
    return;
  }
  scheduler().add_live(1);
  if (trace_ != nullptr) trace_->arrived(head.id, t->hops, t->name());
  if (t->member != nullptr) member_came(t);
  const int home = home_of(head.id);
  if (!same_node(home) && home != from)
    send(home, LocatedHead{Kind::kLocated, t->hops, head.id, rank()});
  scheduler().resume_arrived(t);
}

// The home rank that sent the thread itself needs no message.
void Runtime::departed(std::uint64_t id, int to, std::uint64_t hops) {
  scheduler().add_live(-1);
  if (home_of(id) == rank() && !directory_->ended(id)) directory_->set_away(id, to, hops);
}

// In place of the function of a thread that could not get to where it was to start.
static void refuse_to_start(void* closure) {
  scheduler().current()->destroy(closure);
  iso::in_process([] {
    const Tcb* self = scheduler().current();
    Errc code{};
    const std::string why = the_runtime().take_refusal(self, &code);
    throw Error(code, text("spawn: thread '%s' cannot start: %s", self->name(), why.c_str()));
  });
}

void Runtime::refused(Tcb* t, int to, Errc code, const char* why, Target joiner) {
  const std::string full = text("rank %d cannot take the thread: %s", to, why);
  if (joiner.id != 0) {
    JoinHead head{Kind::kJoin, to, {}, joiner, 0};
    answer_join(head, code,
                text("join: the thread ended with %s, which cannot be brought here: %s",
                     describe(t->exception).c_str(), why)
                    .c_str(),
                nullptr);
    t->exception = nullptr;                         // it has been told
    leftovers_[~reinterpret_cast<Address>(t)] = t;  // nobody asks for it again
    return;
  }
  refusals_[t->id.load(std::memory_order_relaxed)] = {code, full};
  if (t->entry != nullptr && t->destined && !t->begins_anywhere) t->entry = refuse_to_start;
  --moves_;
  --moves_between_nodes_;
  if (trace_ != nullptr)
    trace_->refused(t->id.load(std::memory_order_relaxed), t->hops, to, t->name());
  if (t->member != nullptr) member_came(t);
  if (options_.verbose > 0) report(text("thread '%s' stays: %s", t->name(), full.c_str()).c_str());
  scheduler().resume_arrived(t);
}

std::string Runtime::take_refusal(const Tcb* t, Errc* code) {
  const auto it = refusals_.find(t->id.load(std::memory_order_relaxed));
  if (it == refusals_.end()) return "";
  *code = it->second.code;
  std::string why = std::move(it->second.why);
  refusals_.erase(it);
  return why;
}

// ---- the loop ----

void Runtime::handle(int from, const char* message, std::size_t bytes) {
  idle_rounds_ = 0;
  if (post_->handle(from, message, bytes) || leases_->handle(from, message) ||
      migrator_->handle(from, message, bytes) || gatherings_->handle(from, message, bytes) ||
      diffuser_->handle(from, message, bytes) || teams_->handle(message))
    return;
  switch (read<Kind>(message)) {
    case Kind::kLocated: {
      const auto head = read<LocatedHead>(message);
      if (!directory_->ended(head.id)) directory_->set_away(head.id, head.rank, head.hops);
      return;
    }
    case Kind::kEnded:
      on_ended(read<EndedHead>(message));
      return;
    case Kind::kJoin:
      try_join(read<JoinHead>(message));
      return;
    case Kind::kMove:
      try_move(read<MoveHead>(message));
      return;
    case Kind::kJoined: {
      const auto head = read<JoinedHead>(message);
      answer_here(head.joiner, head.code, head.why, head.remains);
      return;
    }
    case Kind::kMoved: {
      const auto head = read<MovedHead>(message);
      answer_here(head.asker, head.code, head.why, nullptr);
      return;
    }
    case Kind::kProgress: {
      const auto head = read<ProgressHead>(message);
      if (watch_ != nullptr) watch_->heard(head.rank, head.counts);
      return;
    }
    default:
      fatal("a message of unknown kind %u came from rank %d",
            static_cast<unsigned>(read<Kind>(message)), from);
  }
}

void Runtime::poll() {
  migrator_->flush_answers();
  take_closed();
  receive_hand_offs();
  if (post_->has_mail()) {
    mail_lately_ = true;
    // What it brings to an idle rank runs at once.
    const bool was_idle = scheduler().ready_count() == 0;
    idle_rounds_ = 0;
    post_->take_mail();
    if (was_idle && scheduler().ready_count() != 0 && ++mail_polls_ % 16 != 0) return;
  }
  if (post_->busy()) post_->progress();
  if (post_->holds()) post_->retry_held_now_and_then();
  if (gatherings_->open() > 0) gatherings_->poll();
  if (!waiting_departures_.empty()) retry_departures();
  for (; !gone_.empty(); gone_.pop_back()) send(home_of(gone_.back().id), gone_.back());
  if (balances_itself() && mpi_.node_ranks() > 1) offer_ready();
  if (dump_wanted_ != 0) dump();
  if (watch_ != nullptr) observe();
  const auto take = [&](std::deque<std::vector<char>>& queue) {
    // What these put back is for the next time.
    for (std::size_t n = queue.size(); n > 0; --n) {
      const std::vector<char> message = std::move(queue.front());
      queue.pop_front();
      handle(rank(), message.data(), message.size());
    }
  };
  if (!to_self_.empty()) take(to_self_);
  if (!later_.empty()) {
    const int rounds = idle_rounds_;
    take(later_);
    if (!later_.empty()) idle_rounds_ = rounds;
  }
  if (ranks() == 1) return;
  for (auto& aside = leases_->aside(); !aside.empty();) {
    const LeaseBroker::Aside message = std::move(aside.front());
    aside.pop_front();
    handle(message.from, message.bytes.data(), message.bytes.size());
  }
  // What a lone message brings to an idle rank runs at once. Messages that come in groups are taken
  // in groups.
  const bool was_idle = scheduler().ready_count() == 0 && !messages_in_groups_;
  int taken = 0;
  for (; taken < kMostMessagesAPoll; ++taken) {
    int from = 0;
    std::size_t bytes = 0;
    const char* message = mpi_.receive(&from, &bytes);
    if (message == nullptr) break;
    mail_lately_ = false;
    handle(from, message, bytes);
    mpi_.release();
    // What came while it waited for a lease is older than what comes now.
    if (!leases_->aside().empty()) return;
    if (was_idle && scheduler().ready_count() != 0) {
      messages_in_groups_ = ++lone_polls_ % 64 == 0;  // try now and then
      return;
    }
  }
  messages_in_groups_ = taken > 1;
  if (migrator_->busy()) migrator_->progress();
  mpi_.progress_sends();
  leases_->look_ahead();
}

bool Runtime::passive() const {
  return scheduler().ready_count() == 0 && !scheduler().has_sleepers() && later_.empty() &&
         to_self_.empty() && leases_->aside().empty() && !migrator_->busy() &&
         !mpi_.sends_pending() && !post_->busy() && !gatherings_->busy() &&
         waiting_departures_.empty() && inbox_of(rank()).empty() && !post_->sends_wait() &&
         !threads::errands_wait();
}

// Another rank of the node may have given memory back before it joined a wave: what waits here for
// memory is tried before this rank joins the next one.
void Runtime::look_for_the_end() {
  if (post_->holds()) post_->retry_held();
  if (passive()) {
    if (ranks() == 1 || !mpi_.wave_started()) termination_.outsiders = outsiders();
    const Termination::Verdict verdict = termination_.step(mpi_);
    if (verdict == Termination::Verdict::kDeadlock) end_deadlocked();
    if (verdict == Termination::Verdict::kOutsiders) note_outsiders();
  } else if (ranks() > 1) {
    termination_.look(mpi_);
  }
}

void Runtime::rest(std::int64_t wake_ns) {
  if (idle_switches_ != scheduler().switches()) {
    idle_switches_ = scheduler().switches();
    idle_rounds_ = 0;
  }
  const int spin = ranks() == 1 ? 0 : oversubscribed_ ? kSpinRoundsOversubscribed : kSpinRounds;
  const int round = idle_rounds_++;
  if (round == 0) post_->ran();
  if (round >= spin) post_->idle();
  if (balances_itself() && mpi_.node_ranks() > 1 && round > 8) ask_for_ready();
  // A wave is dear, and who just sent a thread away may get it back.
  if (round >= spin || round % kRoundsAWave == kRoundsAWave - 1) {
    look_for_the_end();
    if (done()) return;
    migrator_->seal_old();
  }
  if (round < spin) {
    // Mail from the node is a load away, while a look at MPI costs some 100 ns.
    const Inbox& own = inbox_of(rank());
    for (int i = mail_lately_ ? 8 : 1; i > 0 && own.empty(); --i) __builtin_ia32_pause();
    return;
  }
  if (round < spin + kYieldRounds || migrator_->busy() || post_->busy() || gatherings_->busy() ||
      diffuser_->under_way() || mpi_.sends_pending()) {
    sched_yield();
    return;
  }
  std::int64_t ns =
      std::min(kFirstSleepNs << std::min((round - spin - kYieldRounds) / 8, 10), kLongestSleepNs);
  if (ranks() == 1) ns = 1'000'000'000;
  if (wake_ns != 0) ns = std::min(ns, wake_ns - now_ns());
  inbox_of(rank()).sleep(ns, threads::errands_wait);
}

}  // namespace roam::runtime
