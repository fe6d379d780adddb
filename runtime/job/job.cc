#include "runtime/job/job.h"

#include <sched.h>

#include <algorithm>
#include <climits>

#include "base/job_clock.h"
#include "isomalloc/runtime_threads.h"
#include "runtime/net/mpi_frames.h"
#include "threads/errands.h"

namespace roam::runtime {
namespace {

using threads::scheduler;

// How an idle rank backs off: it looks around without pause, then lets other processes run between
// looks, then sleeps, longer each time. A push into its inbox wakes it; a message of MPI does not,
// so the longest sleep bounds the delay.
constexpr int kSpinRounds = 10'000;
constexpr int kSpinRoundsOversubscribed = 10;
constexpr int kYieldRounds = 200;
constexpr std::int64_t kFirstSleepNs = 20'000;
constexpr std::int64_t kLongestSleepNs = 1'000'000;

// A round that looks without pause asks MPI so often, some 20 ns each, beside the poll.
constexpr int kLooksARound = 8;

constexpr int kMostMessagesAPoll = 64;
// While an idle rank spins, it takes part in finding the end of the job once in so many rounds.
constexpr int kRoundsAWave = 8;

}  // namespace

alignas(Job) unsigned char job_room[sizeof(Job)];

// As the scheduler: before any constructor of the program, and never destroyed.
[[gnu::constructor(103)]] static void construct_job() {
  new (job_room) Job;
  iso::called_by_mpi = &called_by_mpi;
}

void Job::handle(int from, const char* message, std::size_t bytes) {
  idle_rounds_ = 0;
  components_.handle(from, message, bytes);
}

void Job::poll() {
  Net& net = components_.net;
  // What a message brings to an idle rank that saw it come runs at once.
  if (!mpi().message_waits() || net.own_inbox().has_mail() || ++message_polls_ % 16 == 0) {
    if (!poll_components()) return;
  }
  net.deliver_own();
  const auto deliver_later = [&] {
    if (!net.any_later()) return;
    const int rounds = idle_rounds_;
    net.deliver_later();
    if (net.any_later()) idle_rounds_ = rounds;
  };
  deliver_later();
  if (ranks() == 1) return;
  const std::uint64_t received = mpi().received();
  receive();
  if (mpi().received() == received) return;
  // What is about a thread that has just come finds it here, before it runs: it may leave again
  // before the next poll, and so each time.
  deliver_later();
  if (!post().quiet()) post().poll();
}

bool Job::poll_components() {
  const Net& net = components_.net;
  if (mover().take_hand_offs()) idle_rounds_ = 0;
  bool mail_may_wake = false;
  if (net.own_inbox().has_mail()) {
    mail_lately_ = true;
    idle_rounds_ = 0;
    mail_may_wake = scheduler().ready_count() == 0;
  }
  for (Component* component : components_.polled()) {
    if (!component->due()) continue;
    component->poll();
    // What mail brings to an idle rank runs at once.
    if (mail_may_wake && scheduler().ready_count() != 0) {
      mail_may_wake = false;
      if (++mail_polls_ % 16 != 0) return false;
    }
  }
  if (dump_wanted_ != 0) dump();
  if (checkpoint_wanted_ != 0 && !restarts() && no_wave()) {
    checkpoint_wanted_ = 0;
    checkpointer().ask_from_outside();
  }
  return true;
}

// What a lone message brings to an idle rank runs at once. Messages that come in groups are taken
// in groups.
void Job::receive() {
  Net& net = components_.net;
  net.deliver_aside();
  const bool was_idle = scheduler().ready_count() == 0 && !messages_in_groups_;
  int taken = 0;
  for (; taken < kMostMessagesAPoll; ++taken) {
    int from = 0;
    std::size_t bytes = 0;
    const char* message = mpi().receive(&from, &bytes);
    if (message == nullptr) break;
    mail_lately_ = false;
    handle(from, message, bytes);
    mpi().release();
    // What came while a component waited for an answer is older than what comes now.
    if (net.any_aside()) return;
    if (was_idle && scheduler().ready_count() != 0) {
      messages_in_groups_ = ++lone_polls_ % 64 == 0;  // try now and then
      return;
    }
  }
  messages_in_groups_ = taken > 1;
  mpi().progress_sends();
}

bool Job::passive() const {
  // Components that are told of idleness may let go a thread that was asked to move.
  if (scheduler().ready_count() != 0 || scheduler().has_sleepers() || scheduler().any_departing())
    return false;
  // Where errands come one after the other there is no moment without: what such a kernel thread
  // wakes is known to whoever counts outsiders.
  if (threads::errands_wait() && outsiders() == 0) return false;
  const auto quiet = [](const Component* component) { return component->quiet(); };
  return std::all_of(components_.all().begin(), components_.all().end(), quiet);
}

void Job::look_for_the_end() {
  using Verdict = Termination::Verdict;
  if (!passive()) return look_at_wave();
  const Net& net = components_.net;
  termination_.created = life().created();
  termination_.ended = life().ended();
  termination_.handed_off = net.handed_off();
  termination_.taken_over = net.taken_over();
  if (ranks() == 1 || !mpi().wave_started()) termination_.outsiders = outsiders();
  const Verdict verdict = termination_.step(mpi());
  if (verdict == Verdict::kOutsiders) note_outsiders();
  if (verdict == Verdict::kDeadlock) end_deadlocked();
}

void Job::look_at_wave() {
  if (ranks() > 1 && termination_.look(mpi()) == Termination::Verdict::kDeadlock) end_deadlocked();
}

// A rank that has joined a wave and is busy since looks at it here: where none is ever idle, nobody
// else does.
bool Job::no_wave() {
  if (ranks() == 1) return true;
  look_at_wave();
  return !mpi().wave_started() && !done();
}

// A rank may have been in the middle of something when the last wave ended: a kernel thread of the
// program asked it for memory that rank 0 has to give, and such messages are not in the wave's
// sums. Two sums in a row that are alike, and nobody waits for a message any more, nor is one on
// its way. That comes, since no rank takes errands any more.
void Job::answer_to_the_end() {
  if (ranks() == 1) return;
  Net& net = components_.net;
  for (std::uint64_t last = UINT64_MAX;;) {
    std::uint64_t sums[Mpi::kWaveCounts] = {mpi().sent(), mpi().received()};
    mpi().start_wave(sums);
    while (!mpi().wave_done(sums)) {
      net.deliver_own();
      net.deliver_later();
      receive();
      sched_yield();
    }
    if (sums[0] == sums[1] && sums[0] == last) return;
    last = sums[0];
  }
}

void Job::idle(std::int64_t wake_ns) {
  Observer& observer = *components_.observer;
  if (!observer.active()) {
    rest(wake_ns);
    return;
  }
  observer.idle_begins();
  rest(wake_ns);
  observer.idle_goes_on();
}

void Job::rest(std::int64_t wake_ns) {
  if (idle_switches_ != scheduler().switches()) {
    idle_switches_ = scheduler().switches();
    idle_rounds_ = 0;
  }
  const int spin = ranks() == 1 ? 0 : oversubscribed_ ? kSpinRoundsOversubscribed : kSpinRounds;
  const int round = idle_rounds_;
  if (round < INT_MAX) ++idle_rounds_;
  if (round == 0) tell_idle(Component::Idle::kBegins);
  // A wave is dear, and who just sent a thread away may get it back.
  const bool long_idle = round >= spin;
  if (long_idle || round % kRoundsAWave == kRoundsAWave - 1) {
    tell_idle(long_idle ? Component::Idle::kLong : Component::Idle::kSpins);
    look_for_the_end();
    if (done()) return;
  }
  const Inbox& own = components_.net.own_inbox();
  if (!long_idle) {
    // Mail from the node is a load away, while a look at MPI costs some 100 ns. What comes from
    // elsewhere is waited for here, since a round around all components costs as much again.
    if (mail_lately_) {
      for (int i = 8; i > 0 && own.empty(); --i) __builtin_ia32_pause();
    } else {
      for (int i = kLooksARound; i > 0 && own.empty() && !mpi().look(); --i) continue;
    }
    return;
  }
  const auto urgent = [](const Component* component) { return component->urgent(); };
  if (round < spin + kYieldRounds ||
      std::any_of(components_.all().begin(), components_.all().end(), urgent)) {
    sched_yield();
    return;
  }
  std::int64_t ns =
      std::min(kFirstSleepNs << std::min((round - spin - kYieldRounds) / 8, 10), kLongestSleepNs);
  const auto quiet = [](const Component* component) { return component->quiet(); };
  // What kernel threads of a component have done does not wake it.
  if (ranks() == 1 && std::all_of(components_.all().begin(), components_.all().end(), quiet))
    ns = 1'000'000'000;
  if (wake_ns != 0) ns = std::min(ns, wake_ns - job_now_ns());
  components_.net.own_inbox().sleep(ns, threads::errands_wait);
}

}  // namespace roam::runtime
