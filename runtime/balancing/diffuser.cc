#include "runtime/balancing/diffuser.h"

#include <x86intrin.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/text.h"
#include "runtime/balance/proportion.h"
#include "runtime/balancing/balancer.h"
#include "runtime/balancing/place_head.h"
#include "runtime/trace/trace.h"

namespace roam::runtime {

using balance::DiffusionRank;
using detail::Member;
using detail::RequestState;

namespace {

constexpr balance::Costs kCosts;

template <class Item>
std::vector<Item> items_of(const char* at, std::size_t bytes) {
  std::vector<Item> items(bytes / sizeof(Item));
  if (!items.empty()) std::memcpy(items.data(), at, items.size() * sizeof(Item));
  return items;
}

}  // namespace

// ---- the tree of all ranks ----

SpanningTree Diffuser::tree_of(const Run& run) const {
  return {net_.rank(), run.root, net_.ranks()};
}

template <class Item>
void Diffuser::send(int to, const Key& key, const Run& run, Stage stage, const Item* items,
                    std::size_t count) {
  const DiffuseHead head{Kind::kDiffuse, stage, key.first, key.second, run.root, run.round};
  std::vector<char> message(sizeof head + count * sizeof(Item));
  std::memcpy(message.data(), &head, sizeof head);
  if (count != 0) std::memcpy(message.data() + sizeof head, items, count * sizeof(Item));
  net_.send_long(to, message);
}

template <class Item>
void Diffuser::spread(const Key& key, const Run& run, Stage stage, const Item& item) {
  tree_of(run).for_each_child([&](int rank, int) { send(rank, key, run, stage, &item, 1); });
}

// ---- the beginning ----

void Diffuser::add(const Member& me, std::uint32_t number, RequestState* request) {
  Mine mine{};
  mine.index = me.index;
  mine.forecast = balance::forecast({me.history_s, me.steps});
  mine.named = me.named;
  mine.fixed = !threads::Scheduler::may_move(me.thread);
  mine.bytes = Balancer::bytes_of(me);
  mine.member = {me.thread->id.load(std::memory_order_relaxed), me.thread};
  mine.request = request;
  runs_[{me.team, number}].mine.push_back(mine);
}

void Diffuser::start(std::uint64_t team, std::uint32_t number) {
  const Key key{team, number};
  Run& run = runs_[key];
  run.root = net_.rank();
  on_start(key, run);
}

// Every member has taken part, so those of this rank are known.
void Diffuser::on_start(const Key& key, Run& run) {
  run.begin_ticks = __rdtsc();
  spread(key, run, Stage::kStart, run.root);
  run.totals_due = 1;
  tree_of(run).for_each_child([&](int, int) { ++run.totals_due; });
  run.outcomes_due = run.totals_due;
  Totals own;
  for (const Mine& mine : run.mine) {
    for (std::size_t m = 0; m < balance::kLoadModels; ++m) {
      const long double load_s = mine.forecast.load_s(m);
      own.load_s[m] += load_s;
      own.most_s[m] = std::max(own.most_s[m], load_s);
    }
    own.named = own.named || mine.named;
    balance::add(own.off_s, mine.forecast);
  }
  add_totals(key, run, own);
}

void Diffuser::add_totals(const Key& key, Run& run, const Totals& totals) {
  for (std::size_t m = 0; m < balance::kLoadModels; ++m) {
    run.totals.load_s[m] += totals.load_s[m];
    run.totals.most_s[m] = std::max(run.totals.most_s[m], totals.most_s[m]);
  }
  run.totals.named = run.totals.named || totals.named;
  balance::keep_worst(run.totals.off_s, totals.off_s);
  if (--run.totals_due > 0) return;
  if (const int to = tree_of(run).parent(); to >= 0) {
    send(to, key, run, Stage::kTotals, &run.totals, 1);
    return;
  }
  on_go(key, run, course_of(run));
}

Diffuser::Course Diffuser::course_of(const Run& run) const {
  Course course{};
  course.model = static_cast<std::uint32_t>(
      balancer_.load_model().value_or(balance::best_model(run.totals.off_s)));
  const long double ideal = run.totals.load_s[course.model] / net_.ranks();
  course.ideal_s = static_cast<double>(ideal);
  course.second = 1;
  if (course.most = run.totals.most_s[course.model]; run.totals.named && course.most > 0) {
    course.named = true;
    course.proportion_s = 1 / balance::proportion(ideal, course.most);
    course.second = ideal;
    course.ideal_s = 1;
  }
  course.goal_s = DiffusionRank::kGoal * course.ideal_s;
  return course;
}

// ---- the rounds ----

void Diffuser::on_go(const Key& key, Run& run, const Course& course) {
  run.course = course;
  spread(key, run, Stage::kGo, course);
  Tokens tokens;
  for (const Mine& mine : run.mine) {
    const long double load = mine.forecast.load_s(course.model);
    const double load_s = course.named
                              ? balance::proportion(load, course.most) * course.proportion_s
                              : static_cast<double>(load);
    tokens.push_back({static_cast<std::uint64_t>(mine.index), load_s, mine.bytes, net_.rank(),
                      net_.node(), mine.fixed});
  }
  run.rank = std::make_unique<DiffusionRank>(net_.rank(), balancer_.own_rank_info(), tokens);
  run.before_s = run.rank->sums().load_s;
  ++in_rounds_;
  advance(key, run);
}

void Diffuser::advance(const Key& key, Run& run) {
  if (run.rank == nullptr || run.through) return;  // not begun: what came early waits
  const int ranks = net_.ranks();
  for (const int rounds = DiffusionRank::rounds(ranks); run.round < rounds; ++run.round) {
    const int partner = DiffusionRank::partner(net_.rank(), ranks, run.round, key.second);
    if (partner < 0) continue;
    if (!run.told) {
      run.own = run.rank->sums();
      send(partner, key, run, Stage::kSums, &run.own, 1);
      run.told = true;
    }
    const auto sums = run.sums.find(run.round);
    if (sums == run.sums.end() || !meet(key, run, sums->second)) return;
    run.sums.erase(sums);
    run.told = run.offered = false;
  }
  run.through = true;
  --in_rounds_;
  tell_places(key, run);
}

// What of this round comes after the sums. False if the partner has yet to send something.
bool Diffuser::meet(const Key& key, Run& run, const DiffusionRank::Sums& partner) {
  const double goal_s = run.course.goal_s;
  const bool gives = DiffusionRank::surplus_s(run.own, partner, goal_s) > 0;
  if (!gives && !(DiffusionRank::surplus_s(partner, run.own, goal_s) > 0)) return true;
  if (gives && !run.offered) {
    const Tokens offer = run.rank->offer(partner, goal_s, kCosts);
    send(partner.rank, key, run, Stage::kTokens, offer.data(), offer.size());
    run.offered = true;
  }
  const auto tokens = run.tokens.find(run.round);
  if (tokens == run.tokens.end()) return false;
  if (gives) {
    run.rank->take(tokens->second);
  } else {
    const Tokens returned = run.rank->divide(partner, tokens->second, goal_s, kCosts);
    send(partner.rank, key, run, Stage::kReturned, returned.data(), returned.size());
  }
  run.tokens.erase(tokens);
  return true;
}

// ---- the end ----

void Diffuser::tell_places(const Key& key, Run& run) {
  std::map<int, std::vector<std::int32_t>> guests;  // by the rank where they are now
  for (const DiffusionRank::Token& token : run.rank->tokens()) {
    const auto index = static_cast<std::int32_t>(token.thread);
    if (token.rank == net_.rank()) {
      run.places.emplace_back(index, net_.rank());
    } else {
      guests[token.rank].push_back(index);
    }
  }
  for (const auto& [rank, indices] : guests)
    send(rank, key, run, Stage::kPlaces, indices.data(), indices.size());
  consider_places(key, run);
}

// Once it is known of all members of this rank where they are to go.
void Diffuser::consider_places(const Key& key, Run& run) {
  if (!run.through || run.places.size() < run.mine.size()) return;
  std::map<std::int32_t, std::int32_t> place_of(run.places.begin(), run.places.end());
  const int here = net_.rank();
  Outcome own{run.before_s, run.rank->sums().load_s, 0, 0};
  for (Mine& mine : run.mine) {
    mine.place = place_of.at(mine.index);
    if (mine.place == here) continue;
    ++own.moves;
    own.move_s += kCosts.move_s(!net_.same_node(mine.place), mine.bytes);
  }
  for (const DiffusionRank::Token& token : run.rank->tokens()) {
    if (token.rank != here) own.move_s += kCosts.move_s(token.node != net_.node(), token.bytes);
  }
  if (the_trace != nullptr) {
    run.notes.push_back({here, -1, own.before_s, own.after_s, 0, 0});
    for (const Mine& mine : run.mine) {
      if (mine.place != here)
        run.notes.push_back({here, mine.place, 0, 0, mine.member.id, mine.bytes});
    }
  }
  add_outcome(key, run, own);
}

void Diffuser::add_outcome(const Key& key, Run& run, const Outcome& outcome) {
  run.outcome.before_s = std::max(run.outcome.before_s, outcome.before_s);
  run.outcome.after_s = std::max(run.outcome.after_s, outcome.after_s);
  run.outcome.move_s = std::max(run.outcome.move_s, outcome.move_s);
  run.outcome.moves += outcome.moves;
  if (--run.outcomes_due > 0) return;
  const int to = tree_of(run).parent();
  if (to < 0) {
    decide(key, run);
    return;
  }
  std::vector<char> message(sizeof run.outcome + run.notes.size() * sizeof(Note));
  std::memcpy(message.data(), &run.outcome, sizeof run.outcome);
  if (!run.notes.empty()) {
    std::memcpy(message.data() + sizeof run.outcome, run.notes.data(),
                run.notes.size() * sizeof(Note));
  }
  send(to, key, run, Stage::kOutcome, message.data(), message.size());
}

void Diffuser::decide(const Key& key, Run& run) {
  const Outcome& outcome = run.outcome;
  const bool pays = (outcome.before_s - outcome.after_s) * kCosts.steps > outcome.move_s;
  const std::int32_t moves = pays ? outcome.moves : 0;
  const double ideal_s = run.course.ideal_s > 0 ? run.course.ideal_s : 1;
  if (balancer_.verbose() > 0) {
    report(text("team %llu: %d members move by diffusion, loads by %s; imbalance %.3f, "
                "then %.3f",
                static_cast<unsigned long long>(key.first), moves,
                std::string(balance::load_model_names()[run.course.model]).c_str(),
                outcome.before_s / ideal_s, (pays ? outcome.after_s : outcome.before_s) / ideal_s)
               .c_str());
  }
  if (Trace* trace = the_trace; trace != nullptr) {
    const std::size_t ranks = static_cast<std::size_t>(net_.ranks());
    BalancingStep step{.strategy = "diffusion",
                       .begin_ticks = run.begin_ticks,
                       .end_ticks = __rdtsc(),
                       .before = std::vector<double>(ranks),
                       .after = std::vector<double>(ranks),
                       .moves = {}};
    for (const Note& note : run.notes) {
      if (note.thread == 0) {
        step.before[static_cast<std::size_t>(note.rank)] = note.before_s;
        step.after[static_cast<std::size_t>(note.rank)] = pays ? note.after_s : note.before_s;
      } else if (pays) {
        step.moves.push_back({note.thread, note.rank, note.to, note.bytes});
      }
    }
    step.count_in(run.course.second);
    trace->balanced(step);
  }
  on_verdict(key, run, moves);
}

void Diffuser::on_verdict(const Key& key, Run& run, std::int32_t moves) {
  spread(key, run, Stage::kVerdict, moves);
  const Run done = std::move(run);
  runs_.erase(key);
  for (const Mine& mine : done.mine) {
    const bool goes = moves > 0 && mine.place != net_.rank();
    const PlaceHead place{goes ? mine.place : -1, moves};
    gatherings_->answer({mine.member, mine.index, mine.request}, 0,
                        reinterpret_cast<const char*>(&place), sizeof place);
  }
}

// ---- messages ----

std::span<const Kind> Diffuser::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kDiffuse};
  return kOwn;
}

void Diffuser::handle(int from, const char* message, std::size_t bytes) {
  const auto head = read<DiffuseHead>(message);
  const char* at = message + sizeof head;
  bytes -= sizeof head;
  const Key key{head.team, head.number};
  Run& run = runs_[key];
  run.root = head.root;
  switch (head.stage) {
    case Stage::kStart:
      on_start(key, run);
      break;
    case Stage::kTotals:
      add_totals(key, run, read<Totals>(at));
      break;
    case Stage::kGo:
      on_go(key, run, read<Course>(at));
      break;
    case Stage::kSums:
      run.sums[head.round] = read<DiffusionRank::Sums>(at);
      advance(key, run);
      break;
    case Stage::kTokens:
    case Stage::kReturned:  // a rank waits for one of the two in a round
      run.tokens[head.round] = items_of<DiffusionRank::Token>(at, bytes);
      advance(key, run);
      break;
    case Stage::kPlaces:
      for (const std::int32_t index : items_of<std::int32_t>(at, bytes))
        run.places.emplace_back(index, from);
      consider_places(key, run);
      break;
    case Stage::kOutcome: {
      const auto notes = items_of<Note>(at + sizeof(Outcome), bytes - sizeof(Outcome));
      run.notes.insert(run.notes.end(), notes.begin(), notes.end());
      add_outcome(key, run, read<Outcome>(at));
      break;
    }
    case Stage::kVerdict:
      on_verdict(key, run, read<std::int32_t>(at));
      break;
  }
}

}  // namespace roam::runtime
