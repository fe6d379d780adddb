// Start and end of a rank: options, arena, MPI, the layout check, nodes.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/fnv.h"
#include "base/job_clock.h"
#include "base/job_record.h"
#include "base/os/clock_name.h"
#include "base/os/layout.h"
#include "base/os/memory.h"
#include "base/text.h"
#include "base/version.h"
#include "isomalloc/block.h"
#include "isomalloc/capture.h"
#include "isomalloc/library_slots.h"
#include "isomalloc/runtime_threads.h"
#include "isomalloc/shared_locale.h"
#include "isomalloc/turns.h"
#include "runtime/check/checker.h"
#include "runtime/check/pointer_check.h"
#include "runtime/checkpoint/program.h"
#include "runtime/job/arena_place.h"
#include "runtime/job/child.h"
#include "runtime/job/clock_shift.h"
#include "runtime/job/exits.h"
#include "runtime/job/guards.h"
#include "runtime/job/job.h"
#include "runtime/job/launcher.h"
#include "runtime/job/placement.h"
#include "runtime/job/terminate.h"
#include "runtime/net/started.h"
#include "threads/child.h"
#include "threads/crash.h"
#include "threads/fault.h"
#include "threads/inspect.h"

namespace roam::runtime {
namespace {

// Room beside the bytes of an eager image for its head and lists.
constexpr std::size_t kListBytes = 8 << 10;

// As ROAM_VERBOSE shows os::Guards.
constexpr const char* kGuardNames[] = {"MADV_GUARD_INSTALL", "mprotect", "nothing"};

void describe_here(char* buffer, std::size_t bytes) {
  const Job& r = the_job();
  int n = 0;
  if (r.running()) n = std::snprintf(buffer, bytes, "rank %d", r.rank());
  if (threads::is_child)
    n = std::snprintf(buffer, bytes, "process made by fork on rank %d", r.rank());
  // What runs on the rank is not what another kernel thread does, and may go away meanwhile. A
  // process that fork made has one kernel thread.
  if (!threads::is_child && threads::on_other_kernel_thread()) return;
  if (threads::scheduler().current() == nullptr) return;
  if (n > 0) n += std::snprintf(buffer + n, bytes - static_cast<std::size_t>(n), ", ");
  threads::describe_current(buffer + n, bytes - static_cast<std::size_t>(n));
}

std::vector<std::string> lines_of(const std::string& s) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < s.size();) {
    const std::size_t end = std::min(s.find('\n', at), s.size());
    lines.push_back(s.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// MPICH has a handler for SIGUSR1 too (its launcher tells it of failed processes): it is called
// after ours.
struct sigaction previous_dump_action;
// What comes with a SIGUSR1 that asks for a checkpoint (tools/roam-ps): "roam".
constexpr int kCheckpointSignal = 0x6d616f72;

// Before MPI maps memory of its own. `moves`: a checkpoint says later where it has to be.
void reserve_arena(const Options& options, bool moves) {
  try {
    iso::arena().reserve(options);
  } catch (const Error& error) {
    if (!moves || error.code() != Errc::out_of_address_space) throw;
  }
}

void install_dump_signal() {
  struct sigaction action {};
  action.sa_sigaction = [](int signal, siginfo_t* info, void*) {
    if (info->si_code == SI_QUEUE && info->si_value.sival_int == kCheckpointSignal) {
      the_job().request_checkpoint();
      return;
    }
    the_job().request_dump();
    if ((previous_dump_action.sa_flags & SA_SIGINFO) != 0) return;
    const auto next = previous_dump_action.sa_handler;
    if (next != SIG_DFL && next != SIG_IGN) next(signal);
  };
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  sigaction(SIGUSR1, &action, &previous_dump_action);
}

}  // namespace

void Job::start(int& argc, char**& argv) {
  if (running_) throw Error(Errc::not_running, "roam::run was called inside roam::run");
  threads::refuse_in_child("roam::run");
  iso::Arena& arena = iso::arena();
  const bool first = !components_.made();
  options_ = read_options();
  if (options_.check_pointers) PointerCheck::begin_noting();
  const bool alone = arena.ready() && first;  // blocks were made before run()
  const bool goes_on = first && !options_.restart_dir.empty();
  if (first && mpi_runs()) place_arena(alone);
  reserve_arena(options_, goes_on && !arena_is_given());
  fatal_hooks.describe = describe_here;
  fatal_hooks.end_job = Mpi::abort;
  fatal_hooks.leave_core = threads::leave_core;
  find_launcher();
  fatal_hooks.tell_launcher = [](int status, bool once_gone) {
    if (ends_the_job()) tell_launcher(status, once_gone);
  };
  {
    const iso::ForRuntime what_it_makes;
    mpi().start(&argc, &argv);
  }
  if (const char* help = std::getenv("ROAM_HELP"); help != nullptr && std::string(help) == "1") {
    if (rank() == 0) std::fputs(options_help().c_str(), stdout);
    mpi().finish();
    std::exit(0);
  }
  if (alone && ranks() != 1) {
    throw Error(
        Errc::not_running,
        "isomalloc was used before roam::run in a job of several ranks; call it inside run()");
  }
  check_start();
  check_layout();
  if (goes_on) {
    if (alone) {
      throw Error(Errc::not_running,
                  "isomalloc was used before roam::run, and ROAM_RESTART is set: the job's blocks "
                  "come from the checkpoint; call it inside run()");
    }
    Manifest mine;
    describe(&mine);
    if (!arena_is_given()) mine.arena = {};
    restart_.emplace(mpi(), options_.restart_dir, options_.restart_of_others, mine);
    std::string why = move_arena(restart_->manifest().arena, &options_);
    if (!why.empty()) {
      why = text("ROAM_RESTART=%s: on rank %d, ", options_.restart_dir.c_str(), rank()) + why;
    }
    why = mpi().first_said(why);
    if (!why.empty()) throw Error(Errc::out_of_address_space, why);
    restart_->cut_arena();
  }
  net().make_nodes(options_.share, options_.node_ranks);
  share_locale();
  limit_memory();
  if (first) begin_first_run(alone);
  arena.limit().set_reclaim([] { the_job().reclaim(); });
  termination_ = Termination{};
  threads::scheduler().start(rank(), canary_, options_.seed);
  later_run_ = !first;
  components_.begin_run(options_, facts());
  mpi().open_channel(options_.eager_bytes + kListBytes);
  look_at_cores();
  mpi().barrier();
  start_check(mpi(), &options_);
  components_.watch_run(&options_);
  threads::publish_inspect_facts(rank(), ranks());
  if (options_.stopped_s != 0) {  // nothing after it throws
    const iso::ForRuntime what_it_makes;
    lookout_.emplace(std::int64_t{options_.stopped_s} * 1'000'000'000,
                     [] { return the_job().unheard(); });
  }
  running_ = true;
  job_record::began(rank(), ranks());
  if (first) tell_of_missing_guards(mpi());
  if (options_.verbose > 0 && rank() == 0) tell_of_start();
}

// Collective: the program has started MPI itself. `is_there`: the arena is, on this rank.
void Job::place_arena(bool is_there) {
  const Range place = arena_place({options_.arena_base, options_.arena_bytes}, all_ranks);
  if (is_there || arena_is_given()) return;
  options_.arena_base = place.begin;
  options_.arena_bytes = place.bytes;
}

// What this rank keeps for reuse, another rank of the node cannot take back.
void Job::limit_memory() {
  if (options_.memory_bytes == 0) return;
  const std::size_t ranks = static_cast<std::size_t>(mpi().node_ranks());
  options_.keep_bytes = std::min(options_.keep_bytes, options_.memory_bytes / (8 * ranks));
  if (options_.unreceived_bytes != 0)
    options_.unreceived_bytes = std::min(options_.unreceived_bytes, options_.memory_bytes / 8);
}

// What is done once a process.
void Job::begin_first_run(bool alone) {
  components_.make(
      [this](int from, const char* message, std::size_t bytes) { handle(from, message, bytes); },
      [this] { return rank_counts(); });
  iso::block_maker = net().own_node_rank();
  if (restart_) {
    restart_->read(net());
    TerminateHandler::set_collective(false);  // one rank alone may be refused from here on
    restart_->take_over(*components_.leases);
  } else if (!alone) {
    components_.leases->share_out();
  }
  set_clock();
  for (int r = 0; r < iso::kRegions; ++r) {
    iso::pool(static_cast<iso::Region>(r)).set_keep_bytes(options_.keep_bytes);
  }
  std::random_device random;
  // As glibc's own: the low byte is zero, so that a string cannot be read past it.
  canary_ = (std::uint64_t{random()} << 32 | random()) & ~std::uintptr_t{0xff};
  mpi().broadcast(&canary_, sizeof canary_);
  if (restart_) canary_ = restart_->canary();
  if (!alone) iso::job_id = canary_;
  iso::warm_up_process_state();
  iso::start_capture();
  threads::install_fault_handler();
  threads::install_crash_handlers();
  install_dump_signal();
  watch_exits();
  watch_forks();
}

// Collective. Which checkpoint the job goes on from is known once one could be read.
void Job::set_clock() {
  const std::string name = os::clock_name();
  ClockSaid said;
  if (rank() == 0) {
    const std::int64_t now = now_ns();
    said = {name, now, first_shift(restart_ ? restart_->manifest().clock_ns : 0, now)};
  }
  said = unpack_clock(mpi().broadcast_text(pack_clock(said), 0));
  job_clock_shift_ns = shift_after(said, name, now_ns());
}

void Job::tell_of_start() {
  const iso::Arena& arena = iso::arena();
  report(text("%d ranks on %d nodes; arena %p + %s, leases of %s; address randomisation %s; "
              "guards by %s",
              ranks(), net().node_count(), arena.whole().pointer(),
              bytes_text(arena.whole().bytes).c_str(), bytes_text(arena.lease_bytes()).c_str(),
              os::layout() == os::Layout::kFixed ? "off" : "on",
              kGuardNames[static_cast<int>(os::guards())])
             .c_str());
  if (const std::string calls = iso::unturned_library_slots(); !calls.empty()) {
    report(text("what libraries of the process allocate by %s inside a thread lies in its heap",
                calls.c_str())
               .c_str());
  }
}

// What is wrong with the way in which the program was started, alike on every rank.
void Job::check_start() {
  if (!options_.single) {
    if (const std::string why = wrong_launcher(mpi().ranks()); !why.empty())
      throw Error(Errc::bad_option, why);
  }
  if (const std::string why = iso::malloc_taken_by(); !why.empty())
    throw Error(Errc::layout_mismatch, why);
}

// Collective. Compares what has to be alike; the lowest rank that differs from rank 0 says how.
void Job::check_layout() {
  std::vector<std::string> ours = os::layout_facts();
  const Range whole = iso::arena().whole();
  ours.push_back(text("arena %p + %zu", whole.pointer(), whole.bytes));
  ours.push_back(text("ROAM_EAGER %zu", options_.eager_bytes));
  std::string mine;
  for (const std::string& fact : ours) mine += fact + "\n";
  if (mpi().alike(fnv_of(mine))) return;
  const std::vector<std::string> theirs = lines_of(mpi().broadcast_text(mine, 0));
  std::string difference;
  for (std::size_t i = 0; i < std::max(ours.size(), theirs.size()) && difference.empty(); ++i) {
    const std::string a = i < theirs.size() ? theirs[i] : "nothing";
    const std::string b = i < ours.size() ? ours[i] : "nothing";
    if (!os::is_same_fact(a, b)) {
      difference = text("rank 0 has \"%s\", rank %d has \"%s\". %s", a.c_str(), mpi().rank(),
                        b.c_str(), os::layout_cure());
    }
  }
  difference = mpi().first_said(difference);
  if (difference.empty()) return;  // only names differ
  throw Error(
      Errc::layout_mismatch,
      "the ranks are not laid out alike, so threads cannot move between them: " + difference);
}

// Collective.
void Job::share_locale() {
  if (!mpi().alike(iso::share_global_locale())) iso::unshare_global_locale();
}

// Collective. A launcher may give each rank a core of its own: what counts is all of them.
void Job::look_at_cores() {
  os::CoreSet cores = os::allowed_cores();
  const bool speaks = mpi().host_union(&cores);
  oversubscribed_ = mpi().host_ranks() > os::count(cores);
  threads::scheduler().meter().set_shared_core(oversubscribed_);
  if (!speaks) return;
  const std::string why = bound_alike(mpi().host_ranks(), cores, os::machine_cores());
  if (!why.empty()) report(why.c_str());
}

void Job::reclaim() {
  if (!running_) return;
  iso::HeapScope process;
  threads::on_rank_stack([&] {  // who asks may be deep in a stack
    for (Component* component : components_.all()) component->reclaim();
    threads::scheduler().slots().drop_resting(0);
    for (int r = 0; r < iso::kRegions; ++r) iso::pool(static_cast<iso::Region>(r)).trim(0);
  });
}

// ---- checkpoints ----

void Job::describe(Manifest* manifest) const {
  const iso::Arena& arena = iso::arena();
  std::error_code none;
  manifest->program = std::filesystem::read_symlink("/proc/self/exe", none).string();
  manifest->roam = kVersion;
  manifest->layout = os::layout_facts();
  manifest->arena = arena.whole();
  manifest->lease_bytes = arena.ready() ? arena.lease_bytes() : 0;
  manifest->canary = canary_;
}

Checkpointer::Facts Job::facts() {
  Checkpointer::Facts facts;
  facts.exit_code = [this] { return termination_.exit_code; };
  if (later_run_)
    facts.refusal = "it is made in the first roam::run of a process only, and this is a later one";
  facts.restarts = restart_.has_value();
  if (restart_) {
    const Manifest& read = restart_->manifest();
    facts.restarted_from = restart_->last_number();
    facts.went_on_from = read.number;
    facts.went_on_in = restart_->from_memory() ? options_.restart_dir : read.folder + "/..";
    if (restart_->from_memory()) {
      facts.kept_in = options_.restart_dir;
      facts.kept_name = restart_->kept_name();
      facts.kept_by = restart_->take_keepers();
    }
  }
  facts.no_wave = [this] { return no_wave(); };
  facts.hooks = [] { program_state().checkpoint_begins(); };
  facts.has_hooks = [] { return program_state().has_checkpoint_hooks(); };
  facts.describe = [this](Manifest* manifest) {
    describe(manifest);
    manifest->clock_ns = static_cast<std::uint64_t>(job_now_ns());
    for (const auto& [name, bytes] : program_state().save())
      manifest->data[name] = std::string(bytes.begin(), bytes.end());
  };
  return facts;
}

// Collective, and none of it waits without looking at messages: who comes later may need an answer.
Job::Sums Job::sum_while_polling(const Sums& of_rank) {
  Sums sums = of_rank;
  if (ranks() == 1) {
    poll();
    return sums;
  }
  std::uint64_t counts[Mpi::kWaveCounts] = {of_rank.busy, of_rank.sent, of_rank.received};
  mpi().start_wave(counts);
  do {
    poll();
  } while (!mpi().wave_done(counts));
  return {counts[0], counts[1], counts[2]};
}

// Collective. Every message is received, and every component quiet.
void Job::wait_until_quiet() {
  const Net& own = net();
  // What was counted before may be answered while others count: two sums have to be alike.
  for (Sums last{.busy = 1};;) {
    for (int i = 0; i < 16; ++i) poll();
    bool quiet = own.nothing_waits();
    for (const Component* c : components_.all()) quiet = quiet && (c == &own || c->quiet());
    const Sums all = sum_while_polling(
        {quiet ? 0u : 1u, mpi().sent() + own.handed_off(), mpi().received() + own.taken_over()});
    if (all.busy == 0 && last.busy == 0 && all.sent == all.received && all.sent == last.sent &&
        all.received == last.received)
      return;
    last = all;
  }
}

void Job::resume() {
  threads::scheduler().stand_still(true);
  restart_->restore(components_.all());
  wait_until_quiet();
  termination_.exit_code = restart_->exit_code();
  restart_->resume(components_.all(), life());
  wait_until_quiet();
  std::map<std::string, ProgramState::Bytes> data;
  for (const auto& [name, bytes] : restart_->manifest().data)
    data[name].assign(bytes.begin(), bytes.end());
  iso::set_turns(iso::Turns::kTaken);  // a hook may have kernel threads of its own
  program_state().restart(data);
  iso::set_turns(iso::Turns::kHeld);
  // What a hook does to a file of all ranks comes before their threads; it may ask ranks whose
  // hooks have ended for memory. After that none looks at messages until all may begin: they may be
  // of the next checkpoint.
  sum_while_polling({});
  mpi().barrier();
  checkpointer().begin();
  threads::scheduler().stand_still(false);
}

int Job::run() {
  if (restart_) {
    resume();
    restart_.reset();
  }
  threads::scheduler().run(*this);
  for (Component* component : components_.all()) component->run_ended();
  answer_to_the_end();
  check_unjoined();
  return termination_.total_exit_code();
}

void Job::check_unjoined() {
  const int failed = life().report_unjoined();
  if (failed != 0) job_record::fails(1);  // others only know that somebody did
  if (mpi().sum(static_cast<std::uint64_t>(failed)) == 0) return;
  mpi().barrier();
  Mpi::abort(1);
}

RankCounts Job::rank_counts() {
  const Mover::Counts moves = mover().counts();
  RankCounts counts;
  counts.alive = threads::scheduler().slots().live_count();
  counts.ready = threads::scheduler().ready_count();
  counts.made = life().created();
  counts.ended = life().ended();
  counts.moved = moves.all;
  counts.moved_bytes = moves.bytes;
  return counts;
}

void Job::finish() {
  lookout_.reset();
  if (options_.verbose > 0) {
    const Mover::Counts moves = mover().counts();
    report(text("rank %d: %llu threads made, %llu ended here, %llu handed over inside the node, "
                "%llu sent to other nodes "
                "(%s)",
                rank(), static_cast<unsigned long long>(life().created()),
                static_cast<unsigned long long>(life().ended()),
                static_cast<unsigned long long>(moves.all - moves.between_nodes),
                static_cast<unsigned long long>(moves.between_nodes),
                bytes_text(moves.bytes).c_str())
               .c_str());
  }
  for (Component* component : components_.all()) component->reclaim();
  mpi().barrier();
  finish_check(mpi());
  if (job_record::wanted()) {  // rank 0's record of the end speaks for what all have printed
    std::fflush(nullptr);
    mpi().barrier();
  }
  leave_at_exit(checkpointer().leave_kept());
  for (Component* component : components_.all()) component->finish_run();
  mpi().close_channel();
  components_.end_run();
  running_ = false;
  mpi().finish();
}

}  // namespace roam::runtime
