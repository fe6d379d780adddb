#ifndef ROAM_RUNTIME_RUNTIME_H_
#define ROAM_RUNTIME_RUNTIME_H_

#include <atomic>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/lock.h"
#include "base/options.h"
#include "isomalloc/range_pool.h"
#include "roam/error.h"
#include "runtime/balance/load_table.h"
#include "runtime/balance/strategy.h"
#include "runtime/diffuser.h"
#include "runtime/directory.h"
#include "runtime/gathering.h"
#include "runtime/lease_broker.h"
#include "runtime/migrator.h"
#include "runtime/mpi/mpi.h"
#include "runtime/node.h"
#include "runtime/pointer_check.h"
#include "runtime/post.h"
#include "runtime/teams.h"
#include "runtime/termination.h"
#include "runtime/trace/watch.h"
#include "runtime/wire.h"
#include "threads/lookout.h"
#include "threads/scheduler.h"

namespace roam::runtime {

// What a blocked thread gets from another rank, or from the end of a thread that it joins. It lies
// on that thread's stack; Tcb::answer points to it.
struct Answer {
  explicit Answer(std::uint64_t asked_about) : about(asked_about) { why[0] = '\0'; }
  std::uint64_t about;  // id of the thread that is joined, or asked to move
  bool done = false;
  Errc code{};                   // 0: as asked
  char why[200];                 // of a code
  std::exception_ptr exception;  // what escaped from the joined thread
};

// One rank's part of the job: it gives the scheduler its work and its way out, finds threads,
// carries calls to where they are, and knows when everything has ended. Context: the rank's kernel
// thread, capture off, unless noted.
class Runtime final : public threads::Host, public Migrator::Listener {
 public:
  // Collective. Errors: those of roam::run.
  void start(int& argc, char**& argv);
  // Runs until every thread everywhere has ended. Returns root's code.
  int run();
  void finish();
  bool running() const { return running_; }
  bool checks_pointers() const { return check_ != nullptr; }
  // In a process that fork made: the job goes on without it.
  void leave_job() { running_ = false; }
  // Root's, on the rank where it has ended.
  int exit_code() const { return static_cast<int>(termination_.exit_code); }

  int rank() const { return mpi_.rank(); }
  int ranks() const { return mpi_.ranks(); }
  int node() const { return nodes_.empty() ? 0 : nodes_[static_cast<std::size_t>(rank())]; }
  int node_of(int rank) const;
  bool same_node(int rank) const { return nodes_[static_cast<std::size_t>(rank)] == node(); }
  void check_rank(int rank, const char* call) const;

  // A new thread begins: counted, with an id, ready here or on its way to `to`.
  Target begin(Tcb* t, int to);
  // `t` never ran: an exception left its making. The exception is in its heap, which becomes the
  // spawner's.
  void abandon(Tcb* t, Tcb* spawner);
  void make_next_root() { root_next_ = true; }  // the next thread is run()'s own
  // Root's, on the rank where it ends; the last wave brings it to all.
  void set_exit_code(int code) {
    termination_.exit_code = static_cast<std::uint64_t>(std::int64_t{code});
  }

  // The two halves of begin(): an id, so that others can speak of `t`; then it runs.
  Target name(Tcb* t);
  void start_named(Tcb* t);
  void unname(Tcb* t);  // it will never run

  // Members of teams that are on this rank. member_leaves: `self` ends its membership, or cannot
  // yet: its memory is in use, or there is none for what it sent.
  void member_came(Tcb* t);
  Post::Departure member_leaves(Tcb* self);
  void forget_team(std::uint64_t team);
  Post& post() { return *post_; }
  Gatherings& gatherings() { return *gatherings_; }
  Diffuser& diffuser() { return *diffuser_; }
  Teams& teams() { return *teams_; }
  int node_count() const;
  // Whether ranks balance without being asked.
  bool balances_itself() const { return balance_ == Balance::kAuto; }
  bool balances() const { return balance_ != Balance::kOff; }
  // Seconds that `me` has computed since load was last looked at, or what its user says.
  double load_of(const Member& me) const;
  // Whether team.balance() makes its plan without a table of all members.
  bool diffuses() const;
  // `me` begins a new step: what it computed is history.
  void end_step(Member& me);
  // What a move of it sends, at most.
  static std::uint64_t bytes_of(const Member& me);
  balance::RankInfo rank_info(int rank) const;
  std::optional<std::size_t> load_model() const { return load_model_; }
  // What a member tells about itself before a plan is made.
  std::vector<char> describe_load(Member& me);
  // Decides at the root of a team.balance() who goes where.
  void plan_balance(Parts* parts, int size);

  // What the parts of the runtime need of each other.
  template <class Head>
  void send(int to, const Head& head);
  template <class Head>
  void keep_for_later(const Head& head);
  void keep_for_later(std::vector<char> message) { later_.push_back(std::move(message)); }
  void keep_for_self(std::vector<char> message) { to_self_.push_back(std::move(message)); }
  // The thread, if this node has it, else null. Where it is: certain if that is this rank; else it
  // may have gone on.
  Tcb* find_on_node(Target t, int* rank) const;
  // Where a call about `t` goes next: nowhere (it is here), a rank, or it has to wait.
  enum class Where { kHere, kThere, kEnded, kUnknown, kLater };
  Where locate(Target t, int* rank) const;
  Inbox& inbox_of(int rank) const { return inbox(node_ranks_[static_cast<std::size_t>(rank)]); }
  // What passes through an inbox counts like a message.
  void count_push() { ++termination_.handed_off; }
  void count_take() { ++termination_.taken_over; }

  // Calls of threads; `self` is the caller, which may suspend.
  void join(Tcb* self, Target t, Answer* answer);
  void move(Tcb* self, Target t, int to, Answer* answer);
  std::string take_refusal(const Tcb* t,
                           Errc* code);  // why the last departure of `t` failed; empty: it did not

  // `self` opened it, which runs or is being made. `lent`: it refers to memory of `self`.
  void note_open(const void* object, const char* what, Tcb* self, bool lent = false);
  // Context: any kernel thread, capture off.
  void note_closed(const void* object);
  // What other kernel threads closed no longer pins. Cheap if they closed nothing.
  void take_closed() {
    if (closed_elsewhere_.load(std::memory_order_acquire)) [[unlikely]]
      take_closed_slow();
  }
  std::string pinned_by(const Tcb* t) const;

  // Host
  void poll() override;
  void idle(std::int64_t wake_ns) override;
  void depart(Tcb* t, int rank) override;
  void ended(Tcb* t) override;
  bool ended_clean(Tcb* t) override;
  bool done() override { return termination_.done(); }

  // Migrator::Listener
  void arrived(Tcb* t, int from, const ImageHead& head) override;
  void departed(std::uint64_t id, int to, std::uint64_t hops) override;
  void refused(Tcb* t, int to, Errc code, const char* why, Target joiner) override;

  // What ROAM_TRACE notes of this rank; null without it.
  Trace* trace() const { return trace_; }

  // Gives back all memory that is kept for reuse.
  void reclaim();
  void request_dump() { dump_wanted_ = 1; }

  // One message, whether it came from outside or from here.
  void handle(int from, const char* message, std::size_t bytes);
  const Options& options() const { return options_; }

 private:
  struct Open {
    std::uint64_t thread;
    Tcb* control;
    const char* what;
    bool lent;
  };

  void try_join(const JoinHead& head);
  void try_move(const MoveHead& head);
  void on_ended(const EndedHead& head);

  void answer_join(const JoinHead& head, Errc code, const char* why, Tcb* remains);
  void answer_move(const MoveHead& head, Errc code, const std::string& why);
  void answer_here(Target asker, Errc code, const char* why, Tcb* remains);
  // Whether objects of this process refer to memory that the thread of that number left.
  bool has_lent(const Tcb* ended, std::uint64_t id) const;
  void give_remains(const JoinHead& head, std::uint64_t id, Tcb* ended);
  std::vector<JoinHead> take_joiners(Tcb* t, std::uint64_t id);
  void adopt(Tcb* joiner, Tcb* ended);
  void sweep_leftovers();
  void note_gone(std::uint64_t id);
  void receive_hand_offs();
  bool member_departs(Tcb* t, int to);
  void retry_departures();
  void make_node();
  void look_at_cores();
  void share_locale();
  void check_start();
  void check_layout();
  void note_escaped(const Tcb* t);
  void check_escaped();
  [[noreturn]] void end_deadlocked();
  // What other ranks may have sent that this one has not taken, of one that stands still; null:
  // nothing. Context: any kernel thread.
  const char* unheard() const;
  // Kernel threads that the program made: they may wake threads.
  std::uint64_t outsiders() const;
  // Nothing but kernel threads of the program can wake a thread of the job: says so if it lasts.
  void note_outsiders();
  void report_failures();  // with what threads ended on this rank lately
  void dump();
  bool passive() const;
  void look_for_the_end();
  void rest(std::int64_t wake_ns);
  void start_check();
  void finish_check();
  void start_watch();
  void finish_watch();
  void observe();
  RankCounts rank_counts() const;
  void take_closed_slow();
  static void release(const Open& open);

  // ---- balancing inside a node: idle ranks pull ready members ----
  void offer_ready();
  void ask_for_ready();

  enum class Balance { kOff, kAsked, kAuto };
  Balance balance_ = Balance::kAsked;
  const balance::NamedStrategy* strategy_ = nullptr;  // null: as fits the job
  std::optional<std::size_t> load_model_;             // none: the one that foretold best
  std::uint64_t balancings_ = 0;
  std::deque<std::string> escaped_;  // what left threads lately: a deadlock's message names it

  Options options_;
  Mpi mpi_;
  std::vector<int> nodes_;       // of each rank: its node
  std::vector<int> node_ranks_;  // of each rank: its index in its node
  bool running_ = false;
  std::optional<threads::Lookout> lookout_;
  int start_kernel_threads_ = 1;  // this one, MPI's, and the lookout's
  // Since when only kernel threads of the program can wake anybody; 0: that is not so.
  std::int64_t outsiders_since_ns_ = 0;
  std::uint64_t outsiders_switches_ = 0;  // the scheduler's, then
  bool oversubscribed_ = false;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<Migrator> migrator_;
  std::unique_ptr<LeaseBroker> leases_;
  std::unique_ptr<Post> post_;
  std::unique_ptr<Gatherings> gatherings_;
  std::unique_ptr<Diffuser> diffuser_;
  std::unique_ptr<Teams> teams_;
  std::vector<std::pair<Tcb*, int>> waiting_departures_;  // their memory is in use just now
  Termination termination_;
  bool root_next_ = false;

  // More joiners of a thread than its control block has room for: by its id.
  std::unordered_map<std::uint64_t, std::vector<JoinHead>> joiners_;
  // Ended threads whose exception or memory waits for a joiner: by id.
  std::unordered_map<std::uint64_t, Tcb*> leftovers_;
  std::size_t swept_leftovers_ = 64;
  std::vector<EndedHead> gone_;  // of leftovers that are none any more, for their homes
  // Calls whose thread is on its way, to be looked at again.
  std::deque<std::vector<char>> later_;
  std::deque<std::vector<char>> to_self_;
  struct Refusal {
    Errc code;
    std::string why;
  };
  std::unordered_map<std::uint64_t, Refusal> refusals_;
  // An object may be opened more than once (sem_open).
  std::unordered_multimap<const void*, Open> open_objects_;
  mutable Lock open_lock_;    // of open_objects_ and closed_: kernel threads close too
  std::vector<Open> closed_;  // by other kernel threads
  std::atomic<bool> closed_elsewhere_ = false;
  std::unique_ptr<Watch> watch_;         // null unless somebody watches the run
  Trace* trace_ = nullptr;               // watch_'s
  std::unique_ptr<PointerCheck> check_;  // null unless ROAM_CHECK asks for it
  bool ends_are_watched_ = false;        // by the trace or the check: no short way
  std::uint64_t moves_ = 0;              // of threads away from here
  std::uint64_t moves_between_nodes_ = 0;
  std::uint64_t moved_bytes_ = 0;
  int runs_ = 0;  // of this process
  int idle_rounds_ = 0;
  bool messages_in_groups_ = false;  // the last time that some were waiting, more than one did
  std::uint32_t lone_polls_ = 0;
  std::uint32_t mail_polls_ = 0;
  bool mail_lately_ = false;  // what came last came from the node
  std::uint64_t idle_switches_ = 0;
  std::uintptr_t canary_ = 0;
  int leader_ = 0;  // rank that made the memory of this node
  volatile int dump_wanted_ = 0;
};

template <class Head>
void Runtime::send(int to, const Head& head) {
  const char* bytes = reinterpret_cast<const char*>(&head);
  if (to == rank()) {
    to_self_.emplace_back(bytes, bytes + sizeof head);
    return;
  }
  threads::on_rank_stack([&] {
    std::memcpy(mpi_.compose(sizeof head), bytes, sizeof head);
    mpi_.send(to);
  });
}

template <class Head>
void Runtime::keep_for_later(const Head& head) {
  const char* bytes = reinterpret_cast<const char*>(&head);
  later_.emplace_back(bytes, bytes + sizeof head);
}

// This rank's runtime. No function-local static, as for the scheduler: every spawn and join would
// check its guard several times.
extern unsigned char runtime_room[];
inline Runtime& the_runtime() { return *reinterpret_cast<Runtime*>(runtime_room); }

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_RUNTIME_H_
