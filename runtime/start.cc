// Start and end of a rank: options, arena, MPI, the layout check, nodes.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "base/check.h"
#include "base/os/kernel_threads.h"
#include "base/os/layout.h"
#include "base/os/memory.h"
#include "base/text.h"
#include "isomalloc/block.h"
#include "isomalloc/capture.h"
#include "isomalloc/library_slots.h"
#include "isomalloc/shared_locale.h"
#include "runtime/balance/load_model.h"
#include "runtime/child.h"
#include "runtime/escaped.h"
#include "runtime/exits.h"
#include "runtime/guards.h"
#include "runtime/launcher.h"
#include "runtime/mpi/started.h"
#include "runtime/node.h"
#include "runtime/placement.h"
#include "runtime/runtime.h"
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
  const Runtime& r = the_runtime();
  int n = 0;
  if (r.running()) n = std::snprintf(buffer, bytes, "rank %d", r.rank());
  if (threads::is_child)
    n = std::snprintf(buffer, bytes, "process made by fork on rank %d", r.rank());
  // What runs on the rank is not what another kernel thread does, and may go away meanwhile.
  if (threads::on_other_kernel_thread() || threads::scheduler().current() == nullptr) return;
  if (n > 0) n += std::snprintf(buffer + n, bytes - static_cast<std::size_t>(n), ", ");
  threads::describe_current(buffer + n, bytes - static_cast<std::size_t>(n));
}

std::uint64_t hash(const std::string& s) {
  std::uint64_t h =
      0xcbf29ce484222325;  // FNV-1a: the ranks need the same value, whatever their libraries
  for (const unsigned char c : s) h = (h ^ c) * 0x100000001b3;
  return h;
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

void install_dump_signal() {
  struct sigaction action {};
  action.sa_handler = [](int signal) {
    the_runtime().request_dump();
    if ((previous_dump_action.sa_flags & SA_SIGINFO) != 0) return;
    const auto next = previous_dump_action.sa_handler;
    if (next != SIG_DFL && next != SIG_IGN) next(signal);
  };
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, &previous_dump_action);
}

}  // namespace

void Runtime::start(int& argc, char**& argv) {
  if (running_) throw Error(Errc::not_running, "roam::run was called inside roam::run");
  threads::refuse_in_child("roam::run");
  iso::Arena& arena = iso::arena();
  const bool first = leases_ == nullptr;
  options_ = read_options();
  if (options_.check_pointers) PointerCheck::begin_noting();
  const bool alone = arena.ready() && first;  // blocks were made before run()
  arena.reserve(options_);
  fatal_hooks.describe = describe_here;
  fatal_hooks.end_job = Mpi::abort;
  fatal_hooks.leave_core = threads::leave_core;
  // What the program made before; what was there when it started MPI itself may be MPI's.
  const int made_before = mpi_started() ? 0 : os::kernel_threads() - 1;
  mpi_.start(&argc, &argv);
  if (const char* help = std::getenv("ROAM_HELP"); help != nullptr && std::string(help) == "1") {
    if (mpi_.rank() == 0) std::fputs(options_help().c_str(), stdout);
    mpi_.finish();
    std::exit(0);
  }
  if (alone && mpi_.ranks() != 1) {
    throw Error(
        Errc::not_running,
        "isomalloc was used before roam::run in a job of several ranks; call it inside run()");
  }
  check_start();
  check_layout();
  make_node();
  share_locale();
  if (options_.memory_bytes !=
      0) {  // what this rank keeps for reuse, another rank of the node cannot take back
    const std::size_t ranks = static_cast<std::size_t>(mpi_.node_ranks());
    options_.keep_bytes = std::min(options_.keep_bytes, options_.memory_bytes / (8 * ranks));
    if (options_.unreceived_bytes != 0) {
      options_.unreceived_bytes = std::min(options_.unreceived_bytes, options_.memory_bytes / 8);
    }
  }
  if (first) {
    leases_ = std::make_unique<LeaseBroker>(mpi_, [this](int other) { return same_node(other); });
    directory_ = std::make_unique<Directory>(mpi_.rank());
    if (!alone) leases_->share_out();
    for (int r = 0; r < iso::kRegions; ++r) {
      iso::pool(static_cast<iso::Region>(r)).set_keep_bytes(options_.keep_bytes);
    }
    std::random_device random;
    // As glibc's own: the low byte is zero, so that a string cannot be read past it.
    canary_ = (std::uint64_t{random()} << 32 | random()) & ~std::uintptr_t{0xff};
    mpi_.broadcast(&canary_, sizeof canary_);
    if (!alone) iso::job_id = canary_;
    iso::warm_up_process_state();
    iso::start_capture();
    threads::install_fault_handler();
    threads::install_crash_handlers();
    install_dump_signal();
    watch_exits();
    watch_forks();
  }
  arena.set_reclaim([] { the_runtime().reclaim(); });
  migrator_ = std::make_unique<Migrator>(mpi_, *this, options_.eager_bytes, options_.keep_bytes);
  termination_ = Termination{};
  moves_ = moves_between_nodes_ = moved_bytes_ = 0;
  threads::scheduler().start(mpi_.rank(), canary_, options_.seed);
  balance_ = options_.balance == "auto"  ? Balance::kAuto
             : options_.balance == "off" ? Balance::kOff
                                         : Balance::kAsked;
  strategy_ = balance::find_strategy(options_.balance);
  if (!options_.load_model.empty() && options_.load_model != "best") {
    const auto names = balance::load_model_names();
    load_model_ = static_cast<std::size_t>(
        std::find(names.begin(), names.end(), options_.load_model) - names.begin());
  }
  post_ = std::make_unique<Post>(*this, mpi_, options_.seed);
  post_->start();
  gatherings_ = std::make_unique<Gatherings>(*this, mpi_);
  diffuser_ = std::make_unique<Diffuser>(*this);
  if (teams_ == nullptr) teams_ = std::make_unique<Teams>(*this);
  mpi_.open_channel(options_.eager_bytes + kListBytes);
  look_at_cores();
  mpi_.barrier();
  if (options_.stopped_s != 0) {
    lookout_.emplace(std::int64_t{options_.stopped_s} * 1'000'000'000,
                     [] { return the_runtime().unheard(); });
  }
  ends_are_watched_ = false;
  start_check();
  start_watch();
  threads::publish_inspect_facts(mpi_.rank(), mpi_.ranks());
  start_kernel_threads_ = os::kernel_threads() - made_before;
  running_ = true;
  if (first) tell_of_missing_guards(mpi_);
  if (options_.verbose > 0 && mpi_.rank() == 0) {
    report(text("%d ranks on %d nodes; arena %p + %s, leases of %s; address randomisation %s; "
                "guards by %s",
                ranks(), *std::max_element(nodes_.begin(), nodes_.end()) + 1,
                arena.whole().pointer(), bytes_text(arena.whole().bytes).c_str(),
                bytes_text(arena.lease_bytes()).c_str(),
                os::layout() == os::Layout::kFixed ? "off" : "on",
                kGuardNames[static_cast<int>(os::guards())])
               .c_str());
    if (const std::string calls = iso::unturned_library_slots(); !calls.empty()) {
      report(text("what libraries of the process allocate by %s inside a thread lies in its heap",
                  calls.c_str())
                 .c_str());
    }
  }
}

// What is wrong with the way in which the program was started, alike on every rank.
void Runtime::check_start() {
  if (!options_.single) {
    if (const std::string why = wrong_launcher(mpi_.ranks()); !why.empty())
      throw Error(Errc::bad_option, why);
  }
  if (const std::string why = iso::malloc_taken_by(); !why.empty())
    throw Error(Errc::layout_mismatch, why);
}

// Collective. Compares what has to be alike; the lowest rank that differs from rank 0 says how.
void Runtime::check_layout() {
  std::string mine;
  for (const std::string& fact : os::layout_facts()) mine += fact + "\n";
  const Range whole = iso::arena().whole();
  mine += text("arena %p + %zu\n", whole.pointer(), whole.bytes);
  mine += text("ROAM_EAGER %zu\n", options_.eager_bytes);
  if (mpi_.alike(hash(mine))) return;
  const std::vector<std::string> theirs = lines_of(mpi_.broadcast_text(mine, 0));
  const std::vector<std::string> ours = lines_of(mine);
  std::string difference;
  for (std::size_t i = 0; i < std::max(ours.size(), theirs.size()) && difference.empty(); ++i) {
    const std::string a = i < theirs.size() ? theirs[i] : "nothing";
    const std::string b = i < ours.size() ? ours[i] : "nothing";
    if (a != b)
      difference = text("rank 0 has \"%s\", rank %d has \"%s\"", a.c_str(), mpi_.rank(), b.c_str());
  }
  const std::uint64_t speaker =
      mpi_.min(difference.empty() ? UINT64_MAX : static_cast<std::uint64_t>(mpi_.rank()));
  difference = mpi_.broadcast_text(difference, static_cast<int>(speaker));
  const std::string cure = mpi_.broadcast_text(os::layout_cure(), static_cast<int>(speaker));
  throw Error(Errc::layout_mismatch,
              "the ranks are not laid out alike, so threads cannot move between them: " +
                  difference + ". " + cure);
}

// Collective.
void Runtime::share_locale() {
  if (!mpi_.alike(iso::share_global_locale())) iso::unshare_global_locale();
}

// Collective. Cuts the job into nodes and joins the node's memory.
void Runtime::make_node() {
  mpi_.cut_nodes(options_.share ? options_.node_ranks : 1);
  if (static_cast<std::size_t>(mpi_.node_ranks()) > kMostNodeRanks) {
    throw Error(Errc::bad_option,
                text("%d ranks share one machine, and a node has at most %zu. Cut it with "
                     "ROAM_NODE_RANKS.",
                     mpi_.node_ranks(), kMostNodeRanks));
  }
  iso::Arena& arena = iso::arena();
  struct {
    int pid, fd, leader;
    std::uint64_t token;
  } info{getpid(), -1, mpi_.rank(), 0};
  bool member = true;
  int node_rank = mpi_.node_rank();
  if (!arena.ready()) {
    arena.set_ranks(mpi_.ranks());
    if (mpi_.node_ranks() == 1) {
      arena.use_private();
    } else {
      if (node_rank == 0) {
        info.fd = arena.create_shared();
        info.token = arena.token();
      }
      mpi_.node_broadcast(&info, sizeof info);
      if (node_rank != 0) member = arena.attach_shared(info.pid, info.fd, info.token);
      if (!member) {
        arena.use_private();
        node_rank = 0;
        info.leader = mpi_.rank();
        report(
            "the memory of this machine's other ranks cannot be reached (/proc/PID/fd); this rank "
            "is a node of its own");
      }
    }
  } else if (!node_ranks_.empty()) {
    // A later run of the same job: nodes are as they were.
    info.leader = leader_;
    node_rank = node_ranks_[static_cast<std::size_t>(mpi_.rank())];
  }
  leader_ = info.leader;
  arena.set_node_rank(node_rank);
  const std::vector<int> leaders = mpi_.gather_ints(info.leader);
  std::vector<int> distinct = leaders;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  nodes_.clear();
  for (const int leader : leaders) {
    nodes_.push_back(static_cast<int>(std::lower_bound(distinct.begin(), distinct.end(), leader) -
                                      distinct.begin()));
  }
  node_ranks_ = mpi_.gather_ints(node_rank);
}

// Collective. A launcher may give each rank a core of its own: what counts is all of them.
void Runtime::look_at_cores() {
  os::CoreSet cores = os::allowed_cores();
  const bool speaks = mpi_.host_union(&cores);
  oversubscribed_ = mpi_.host_ranks() > os::count(cores);
  threads::scheduler().set_shared_core(oversubscribed_);
  if (!speaks) return;
  const std::string why = bound_alike(mpi_.host_ranks(), cores, os::machine_cores());
  if (!why.empty()) report(why.c_str());
}

void Runtime::reclaim() {
  if (!running_) return;
  iso::HeapScope process;
  threads::on_rank_stack([&] {  // who asks may be deep in a stack
    sweep_leftovers();
    if (migrator_ != nullptr) migrator_->drop_kept();
    if (post_ != nullptr) post_->reclaim();
    threads::scheduler().drop_recycled(0);
    for (int r = 0; r < iso::kRegions; ++r) iso::pool(static_cast<iso::Region>(r)).trim(0);
  });
}

int Runtime::run() {
  threads::scheduler().run(*this);
  if (watch_ != nullptr) watch_->run_ended(rank_counts());
  check_escaped();
  return termination_.total_exit_code();
}

// An exception that nobody joined must not go unseen.
void Runtime::check_escaped() {
  int failed = 0;
  for (const auto& [id, t] : leftovers_) {
    if (!t->exception) continue;
    if (++failed > 4) continue;
    report(text("thread '%s' ended with an exception that nobody joined: %s", t->name(),
                describe(t->exception).c_str())
               .c_str());
  }
  if (mpi_.sum(static_cast<std::uint64_t>(failed)) == 0) return;
  mpi_.barrier();
  Mpi::abort(1);
}

void Runtime::finish() {
  lookout_.reset();
  if (options_.verbose > 0) {
    report(text("rank %d: %llu threads made, %llu ended here, %llu handed over inside the node, "
                "%llu sent to other nodes "
                "(%s)",
                rank(), static_cast<unsigned long long>(termination_.created),
                static_cast<unsigned long long>(termination_.ended),
                static_cast<unsigned long long>(moves_ - moves_between_nodes_),
                static_cast<unsigned long long>(moves_between_nodes_),
                bytes_text(moved_bytes_ - migrator_->bytes_refused).c_str())
               .c_str());
  }
  sweep_leftovers();
  migrator_->drop_kept();
  post_->drop_resting();
  mpi_.barrier();
  finish_check();
  finish_watch();
  mpi_.close_channel();
  post_->finish();
  migrator_.reset();
  running_ = false;
  mpi_.finish();
}

}  // namespace roam::runtime
