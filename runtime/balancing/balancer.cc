#include "runtime/balancing/balancer.h"

#include <x86intrin.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "base/check.h"
#include "base/text.h"
#include "runtime/balance/load_model.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/proportion.h"
#include "runtime/balance/table_file.h"
#include "runtime/balancing/place_head.h"
#include "runtime/balancing/rank_infos.h"
#include "runtime/trace/trace.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::Member;
using detail::Peer;
using detail::State;
using threads::scheduler;

namespace {

// What a member tells of itself; behind it, so many balance::Edge.
struct LoadHead {
  balance::Forecast forecast;
  bool named;  // in the program's unit
  bool fixed;  // it cannot move now
  std::uint64_t bytes;
  std::int32_t rank;
  std::uint32_t edges;
  std::uint64_t thread;
};

// Of those that a member sends to, so many are told of at most: those that get most.
constexpr std::size_t kMostEdges = 64;

}  // namespace

Balancer::Balancer(Net& net, Residents& residents, const Options& options)
    : Component(true),
      net_(net),
      residents_(residents),
      mode_(options.balance == "auto"  ? Mode::kAuto
            : options.balance == "off" ? Mode::kOff
                                       : Mode::kAsked),
      strategy_(balance::find_strategy(options.balance)),
      table_file_(options.balance_table),
      memory_bytes_(options.memory_bytes),
      verbose_(options.verbose),
      diffuser_(net, *this) {
  if (!options.load_model.empty() && options.load_model != "best") {
    const auto names = balance::load_model_names();
    load_model_ = static_cast<std::size_t>(
        std::find(names.begin(), names.end(), options.load_model) - names.begin());
  }
  set_due(by_itself() && net.node_ranks() > 1);
}

double Balancer::computed_s(const Member& me) {
  return scheduler().meter().seconds(me.thread->run_ticks - me.seen_ticks);
}

double Balancer::load_of(const Member& me) {
  return me.user_load >= 0 ? me.user_load : computed_s(me);
}

bool Balancer::diffuses() const {
  return strategy_ != nullptr && strategy_->plan == balance::diffusion;
}

void Balancer::end_step(Member& me) {
  const bool named = me.user_load >= 0;
  if (named != me.named) me.steps = 0;  // nothing follows from a load in another unit
  me.named = named;
  if (me.steps == Member::kHistory)
    std::copy(me.history_s + 1, me.history_s + Member::kHistory, me.history_s);
  me.steps = std::min<std::uint32_t>(me.steps + 1, Member::kHistory);
  me.history_s[me.steps - 1] = load_of(me);
  me.seen_ticks = me.thread->run_ticks;
}

std::uint64_t Balancer::bytes_of(const Member& me) {
  return me.thread->heap.address_bytes() + kPageBytes;
}

balance::RankInfo Balancer::own_rank_info() const {
  return rank_infos(net_.node_of(), memory_bytes_)[static_cast<std::size_t>(net_.rank())];
}

std::vector<char> Balancer::describe_load(Member& me) {
  std::vector<balance::Edge> edges;
  me.mailbox.peers().for_each([&](Peer& peer) {
    if (peer.messages_sent == 0 || peer.index == me.index) return;
    edges.push_back({static_cast<std::uint32_t>(peer.index), peer.bytes_sent,
                     static_cast<std::uint32_t>(peer.messages_sent)});
    peer.messages_sent = peer.bytes_sent = 0;
  });
  if (edges.size() > kMostEdges) {
    std::nth_element(edges.begin(), edges.begin() + kMostEdges, edges.end(),
                     [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
    edges.resize(kMostEdges);
  }
  static_assert(Member::kHistory == balance::kForecastHistory);
  const LoadHead head{balance::forecast({me.history_s, me.steps}),
                      me.named,
                      !threads::Scheduler::may_move(me.thread),
                      bytes_of(me),
                      net_.rank(),
                      static_cast<std::uint32_t>(edges.size()),
                      me.thread->id.load(std::memory_order_relaxed)};
  std::vector<char> told(sizeof head + edges.size() * sizeof(balance::Edge));
  std::memcpy(told.data(), &head, sizeof head);
  if (!edges.empty())
    std::memcpy(told.data() + sizeof head, edges.data(), edges.size() * sizeof(balance::Edge));
  return told;
}

void Balancer::complete(Parts* parts, int size) {
  const std::size_t n = static_cast<std::size_t>(size);
  const std::uint64_t begin_ticks = __rdtsc();
  std::vector<std::uint64_t> threads;
  const std::vector<const char*> told = parts->by_index(size);
  balance::LoadTable table;
  table.ranks = rank_infos(net_.node_of(), memory_bytes_);
  // Members of a team do alike: they go by the one model that would have been best for all.
  balance::ModelChoice choice(table.ranks.size());
  // What was told before a checkpoint names a rank of the job that made it.
  const auto head_of = [this](const char* one) {
    LoadHead head;
    std::memcpy(&head, one, sizeof head);
    head.rank = net_.home_rank(head.rank);
    return head;
  };
  for (const char* one : told) {
    const LoadHead head = head_of(one);
    choice.add(static_cast<std::size_t>(head.rank), head.forecast);
  }
  const std::size_t model = load_model_ ? *load_model_ : choice.best();
  std::vector<long double> loads;
  bool named = false;
  for (const char* one : told) {
    const LoadHead head = head_of(one);
    loads.push_back(head.forecast.load_s(model));
    named = named || head.named;
    table.threads.push_back({static_cast<double>(loads.back()), head.bytes, head.rank, head.fixed});
    threads.push_back(head.thread);
    table.first_edge.push_back(table.edges.size());
    table.edges.resize(table.edges.size() + head.edges);
    if (head.edges != 0) {
      std::memcpy(&table.edges[table.first_edge.back()], one + sizeof head,
                  head.edges * sizeof(balance::Edge));
    }
  }
  table.first_edge.push_back(table.edges.size());
  const long double second = named ? balance::set_proportions(table, loads) : 1;
  if (!table_file_.empty()) record(table, parts->head);
  const balance::NamedStrategy* strategy =
      mode_ == Mode::kOff ? balance::find_strategy("none")
      : strategy_ != nullptr
          ? strategy_
          : balance::find_strategy(net_.node_count() > 1 ? "hierarchical" : "greedy-refine");
  const balance::Plan plan = strategy->plan(table, ++balancings_);
  std::int32_t moves = 0;
  for (std::size_t i = 0; i < n; ++i) moves += plan.rank_of[i] != table.threads[i].rank;
  if (verbose_ > 0) {
    report(text("team %llu: %d of %d members move by %s, loads by %s; imbalance %.3f, then %.3f",
                static_cast<unsigned long long>(parts->head.team), moves, size, strategy->name,
                std::string(balance::load_model_names()[model]).c_str(),
                balance::imbalance_of(table, balance::plan_to_stay(table)),
                balance::imbalance_of(table, plan))
               .c_str());
  }
  trace_plan(table, plan, threads, strategy->name, begin_ticks, second);
  parts->entries.clear();
  parts->data.clear();
  for (std::size_t i = 0; i < n; ++i) {
    const bool goes = plan.rank_of[i] != table.threads[i].rank;
    const PlaceHead place{goes ? plan.rank_of[i] : -1, moves};
    parts->entries.push_back({static_cast<std::int32_t>(i), 0, sizeof place});
    const char* bytes = reinterpret_cast<const char*>(&place);
    parts->data.insert(parts->data.end(), bytes, bytes + sizeof place);
  }
}

void Balancer::record(const balance::LoadTable& table, const GatherHead& head) const {
  const std::string file = text("%s.%llx.%06u", table_file_.c_str(),
                                static_cast<unsigned long long>(head.team), head.number);
  std::ofstream out(file);
  balance::write_table(out, table);
  if (out.flush()) return;
  report(text("ROAM_BALANCE_TABLE=%s: %s cannot be written, so this balancing is not recorded; the "
              "job goes on",
              table_file_.c_str(), file.c_str())
             .c_str());
}

void Balancer::trace_plan(const balance::LoadTable& table, const balance::Plan& plan,
                          const std::vector<std::uint64_t>& threads, const char* strategy,
                          std::uint64_t begin_ticks, long double second) const {
  if (the_trace == nullptr) return;
  BalancingStep step{.strategy = strategy,
                     .begin_ticks = begin_ticks,
                     .end_ticks = __rdtsc(),
                     .before = std::vector<double>(static_cast<std::size_t>(net_.ranks())),
                     .after = {},
                     .moves = {}};
  step.after = step.before;
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const balance::ThreadLoad& one = table.threads[i];
    step.before[static_cast<std::size_t>(one.rank)] += one.load_s;
    step.after[static_cast<std::size_t>(plan.rank_of[i])] += one.load_s;
    if (plan.rank_of[i] != one.rank)
      step.moves.push_back({threads[i], one.rank, plan.rank_of[i], one.bytes});
  }
  step.count_in(second);
  the_trace->balanced(step);
}

// ---- when ----

void Balancer::took_part(const Member& me, const CollectiveCall& call, Along* along) {
  if (!by_itself()) return;
  LoadsAlong loads = loads_in(*along);
  loads.took_part(load_of(me), computed_s(me), me.balancing_s, call.blocking);
  put(loads, along);
}

void Balancer::add(Along* along, const Along& more) {
  if (!by_itself()) return;
  LoadsAlong loads = loads_in(*along);
  loads.add(loads_in(more));
  put(loads, along);
}

// At a point where all members wait, and all hear of it.
std::uint32_t Balancer::judge(const GatherHead& head, int ranks) {
  const bool all_hear = !made_by_rider(head.what) && !for_root_only(head.what);
  if (!by_itself() || !all_hear) return static_cast<std::uint32_t>(Verdict::kGoOn);
  LookLength& look = looks_[head.team];
  const LoadsAlong loads = loads_in(head.along);
  const Verdict verdict = loads.judge(ranks, look.seconds());
  if (verdict != Verdict::kGoOn)
    look.looked(loads.imbalance(ranks), verdict == Verdict::kBalance, loads.balancing_s);
  return static_cast<std::uint32_t>(verdict);
}

// ---- inside a node ----

// A rank that has been idle for a while asks the one with most ready threads for some.
void Balancer::idle(Idle stage) {
  if (!due()) return;
  const Pull pull =
      patience_.look(__rdtsc(), stage == Idle::kBegins, scheduler().slots().live_count());
  if (pull == Pull::kNone) return;
  int busiest = -1;
  std::uint32_t most = 1;
  for (int r = 0; r < net_.ranks(); ++r) {
    if (r == net_.rank() || !net_.same_node(r)) continue;
    const std::uint32_t ready = net_.inbox_of(r).ready();
    if (ready > most) {
      most = ready;
      busiest = r;
    }
  }
  if (busiest >= 0)
    net_.inbox_of(busiest).ask(net_.rank() + (pull == Pull::kOne ? net_.ranks() : 0));
}

// One of the ready members goes to the rank that asked, or half of them; those that ran longest ago
// stay.
void Balancer::poll() {
  Inbox& own = net_.own_inbox();
  const std::size_t ready = scheduler().ready_count();
  own.publish(static_cast<std::uint32_t>(ready));
  const int asked = own.take_asker();
  if (asked < 0 || scheduler().stands_still()) return;
  const int asker = asked % net_.ranks();
  std::size_t left = asked == asker ? ready / 2 : std::min<std::size_t>(ready / 2, 1);
  residents_.any([&](const Member& m) {
    if (left == 0) return true;
    Tcb* t = m.thread;
    if (t->state == State::kReady && t != scheduler().current() &&
        threads::Scheduler::may_move(t) && t->move_to < 0 && !t->destined) {
      scheduler().ask_to_move(t, asker);
      --left;
    }
    return false;
  });
}

}  // namespace roam::runtime
