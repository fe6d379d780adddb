#include "runtime/teams/gathering.h"

#include <x86intrin.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>

#include "base/check.h"
#include "runtime/teams/directions.h"
#include "runtime/teams/requests.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::Member;
using detail::RequestState;

namespace {

// Parts that some rank below owes wait so long, some 50 us, before they go up without them.
constexpr std::uint64_t kPatienceTicks = 125'000;
// Twice as long each time that they did, some 13 ms at most.
constexpr int kMostDoublings = 8;
std::uint64_t patience(int late) { return kPatienceTicks << std::min(late, kMostDoublings); }

// `b`: a head of parts, or who takes part.
template <class B>
void check_same(const GatherHead& a, CollectiveKind what, const B& b) {
  const bool same = a.what == what && a.root == b.root && a.count == b.count &&
                    (a.bytes == b.bytes || made_by_rider(a.what)) && a.combine == b.combine;
  ROAM_CHECK(same,
             "members of a team disagree in collective %u: one calls %s (root %d, %llu bytes), "
             "another %s (root %d, %llu bytes). All members must make the same calls in the same "
             "order.",
             a.number, detail::to_string(a.what), a.root, static_cast<unsigned long long>(a.bytes),
             detail::to_string(what), b.root, static_cast<unsigned long long>(b.bytes));
}

GatherHead head_of(const Member& me, const CollectiveCall& call, FloatModes modes) {
  GatherHead head{};
  head.what = call.kind;
  head.team = me.team;
  head.number = me.collectives;
  head.root = call.root;
  head.bytes = call.bytes;
  head.count = call.count;
  head.combine = call.combine;
  head.in_order = !call.any_order &&
                  (call.kind == CollectiveKind::kReduce || call.kind == CollectiveKind::kAllreduce);
  head.modes = modes.bits();
  std::memcpy(head.op, call.op, sizeof head.op);
  return head;
}

}  // namespace

// ---- teams ----

void Gatherings::add_team(std::uint64_t id, int size, int root_rank) {
  TeamState& team = teams_[id];
  team.size = size;
  team.root_rank = root_rank;
  const SpanningTree tree = tree_of(team);
  tree.for_each_child([&](int child, int end) {
    std::size_t members = 0;
    for (int place = SpanningTree{child, root_rank, tree.ranks}.place(); place < end; ++place) {
      const int rank = tree.rank_at(place);
      members += static_cast<std::size_t>(first_member(rank + 1, size, tree.ranks) -
                                          first_member(rank, size, tree.ranks));
    }
    team.below[child].usual = members;
  });
}

// Parts that wait for members who never took part: some ended before.
void Gatherings::forget_team(std::uint64_t id) {
  last_ = {};
  if (const auto it = teams_.find(id); it != teams_.end()) {
    for (const auto& [number, g] : it->second.gatherings) {
      if (g.parts.head.parts != 0) change_open(-1);
    }
    teams_.erase(it);
  }
  rider_.forget_team(id);
}

SpanningTree Gatherings::tree_of(const TeamState& team) const {
  return {net_.rank(), team.root_rank, net_.ranks()};
}

void Gatherings::left(std::uint64_t id) {
  const auto it = teams_.find(id);
  if (it == teams_.end()) return;
  --it->second.residents;
  // What waited for who has left may go.
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, g] : it->second.gatherings) {
    if (g.parts.head.parts > 0) numbers.push_back(number);
  }
  for (const std::uint32_t number : numbers) consider(it->second, number);
}

Gatherings::Gathering& Gatherings::gathering(TeamState& team, const GatherHead& head) {
  const auto [it, is_new] = team.gatherings.try_emplace(head.number);
  Gathering& g = it->second;
  if (is_new || g.is_nobodys()) {
    g.parts.head = head;
    g.parts.head.kind = Kind::kGather;
    g.parts.clear();
    g.due_ticks = __rdtsc() + kPatienceTicks;
  }
  check_same(g.parts.head, head.what, head);
  return g;
}

// The head is made for the first only.
Gatherings::Gathering& Gatherings::gathering(TeamState& team, const Member& me,
                                             const CollectiveCall& call, FloatModes modes) {
  const auto found = team.gatherings.find(me.collectives);
  if (found == team.gatherings.end() || found->second.is_nobodys())
    return gathering(team, head_of(me, call, modes));
  check_same(found->second.parts.head, call.kind, call);
  return found->second;
}

namespace {

// An operation of the program's runs where nothing can suspend: what has come together so far is
// the rank's, and other members change it. What balances is code whose depth nobody here knows.
bool runs_on_rank_stack(const CollectiveCall& call) {
  return made_by_rider(call.kind) || answered_by_rider(call.kind) ||
         (call.combine != nullptr && !call.of_numbers);
}

// `what` goes on with a collective in which members have taken part. Who just did so cannot be told
// that it went no further: it would not take part again, and some may have the result.
template <class F>
void go_on_with(CollectiveKind kind, std::uint64_t team, std::uint64_t bytes, F what) {
  const auto failed = [&](const char* why) {
    fatal(
        "%s of team %llu, parts of %llu bytes, cannot be brought to its end: %s. What is on its "
        "way takes memory of the process, not of the members.",
        detail::to_string(kind), static_cast<unsigned long long>(team),
        static_cast<unsigned long long>(bytes), why);
  };
  try {
    what();
  } catch (const std::bad_alloc&) {
    failed("there is no memory for it");
  } catch (const std::exception& error) {
    failed(error.what());
  } catch (...) {
    failed("what was thrown is no std::exception");
  }
}

}  // namespace

void Gatherings::contribute(Member& me, const CollectiveCall& call, RequestState* request) {
  const FloatModes modes = call.combine == nullptr ? FloatModes() : FloatModes::now();
  if (!runs_on_rank_stack(call)) return add(me, call, modes, request);
  std::exception_ptr error;
  threads::on_rank_stack([&] {
    try {
      add(me, call, modes, request);
    } catch (...) {
      error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(std::move(error));
}

bool Gatherings::has_begun(const Member& me, CollectiveKind what) {
  const TeamState& team = team_of(me.team);
  const auto found = team.gatherings.find(me.collectives);
  return found != team.gatherings.end() && found->second.parts.head.what == what;
}

void Gatherings::add(Member& me, const CollectiveCall& call, FloatModes modes,
                     RequestState* request) {
  TeamState& team = team_of(me.team);
  const std::uint32_t number = me.collectives;
  Gathering& g = gathering(team, me, call, modes);
  // Where this throws, the member has not taken part.
  g.parts.add(call, me.index);
  go_on_with(call.kind, me.team, call.bytes, [&] {
    count(me, call, request, g);
    if (!request->done) pin_for_request(me.thread, request);
    consider(team, number);
  });
}

// The part of `me` is in `g`: from now on it has taken part.
void Gatherings::count(Member& me, const CollectiveCall& call, RequestState* request,
                       Gathering& g) {
  const Target target{me.thread->id.load(std::memory_order_relaxed), me.thread};
  const std::uint32_t number = me.collectives++;
  if (g.parts.head.parts == 1) change_open(1);
  ++g.came;
  ++g.here;
  rider_.took_part(me, call, &g.along);
  request->data = call.out;
  if (answered_by_rider(call.kind)) {
    rider_.awaits(me, number, request);
  } else if (!for_root_only(call.kind)) {
    if (g.waiters.empty()) g.waiters.reserve(team_of(me.team).residents);
    g.waiters.push_back({target, me.index, request});
  } else if (me.index == call.root) {
    g.parts.head.root_member = target;
    g.parts.head.root_request = request;
  } else {
    request->done = true;
  }
}

bool Gatherings::expects_more(const TeamState& team, const Gathering& g) const {
  if (g.here < team.residents) return true;
  for (const auto& [rank, below] : team.below) {
    const auto it = g.counts.find(rank);
    if ((it == g.counts.end() ? 0 : it->second) < below.usual) return true;
  }
  return false;
}

void Gatherings::consider(TeamState& team, std::uint32_t number) {
  Gathering& g = team.gatherings.at(number);
  if (tree_of(team).parent() < 0) {
    if (g.came == static_cast<std::size_t>(team.size)) finish(team, number);
    return;
  }
  if (!expects_more(team, g)) return send_up(team, number);
  // Late from now on, whatever the last look at members cost.
  if (g.here < team.residents) return;
  const std::uint64_t due = __rdtsc() + patience(g.late);
  if (static_cast<std::int64_t>(g.due_ticks - due) > 0) g.due_ticks = due;
}

void Gatherings::change_open(int by) {
  open_ += by;
  set_due(open_ > 0);
}

// What this rank's members have to say goes along with the parts.
void Gatherings::settle(Gathering& g) {
  rider_.add(&g.parts.head.along, g.along);
  g.along = {};
}

void Gatherings::send_up(TeamState& team, std::uint32_t number) {
  Gathering& g = team.gatherings.at(number);
  settle(g);
  const std::vector<char> message = g.parts.pack();
  g.parts.clear();
  change_open(-1);
  if (for_root_only(g.parts.head.what)) team.gatherings.erase(number);
  net_.send_long(tree_of(team).parent(), message);
}

// All parts are at the root.
void Gatherings::finish(TeamState& team, std::uint32_t number) {
  Gathering& g = team.gatherings.at(number);
  change_open(-1);
  settle(g);
  Parts result = std::move(g.parts);
  result.head.verdict = rider_.judge(result.head, std::min(net_.ranks(), team.size));
  if (answered_by_rider(result.head.what)) {
    const std::uint64_t id = result.head.team;
    team.gatherings.erase(number);
    rider_.all_take_part(id, number);
    return;
  }
  if (made_by_rider(result.head.what)) {
    rider_.complete(&result, team.size);
  } else {
    complete(&result, team.size);
  }
  if (for_root_only(result.head.what)) {
    const Waiter root{result.head.root_member, result.head.root, result.head.root_request};
    team.gatherings.erase(number);
    answer(root, result.head.verdict, result.blob.data(), result.blob.size());
    return;
  }
  spread(team, number, result);
}

// The result goes to the members that wait on this rank, and to the ranks below that sent parts.
void Gatherings::spread(TeamState& team, std::uint32_t number, const Parts& result) {
  const Gathering g = std::move(team.gatherings.at(number));
  team.gatherings.erase(number);
  const bool each = entry_each(result.head.what);
  std::unordered_map<std::int32_t, std::pair<const char*, std::size_t>> own;
  if (each) {
    const char* at = result.data.data();
    for (const EntryHead& e : result.entries) {
      own[e.index] = {at, e.bytes};
      at += e.bytes;
    }
  }
  for (const auto& [rank, indices] : g.below) {
    Parts part;
    part.head = result.head;
    part.head.kind = Kind::kSpread;
    if (each) {
      for (const std::int32_t index : indices) {
        const auto& [data, bytes] = own.at(index);
        part.entries.push_back({index, 0, bytes});
        part.data.insert(part.data.end(), data, data + bytes);
      }
    } else {
      part.blob = result.blob;
    }
    net_.send_long(rank, part.pack());
  }
  for (const Waiter& w : g.waiters) {
    if (each) {
      const auto& [data, bytes] = own.at(w.index);
      answer(w, result.head.verdict, data, bytes);
    } else {
      answer(w, result.head.verdict, result.blob.data(), result.blob.size());
    }
  }
}

// The result, to a member that is here.
void Gatherings::give(Target member, RequestState* request, std::uint32_t verdict, const char* data,
                      std::size_t bytes) {
  if (bytes != 0) std::memcpy(request->data, data, bytes);
  request->bytes = bytes;
  request->verdict = verdict;
  finish_request(member.control, request);
}

void Gatherings::answer(const Waiter& w, std::uint32_t verdict, const char* data,
                        std::size_t bytes) {
  int rank = 0;
  if (locator_.locate(w.member, &rank) == Locator::Where::kHere) {
    give(w.member, w.request, verdict, data, bytes);
    return;
  }
  std::vector<char> message(sizeof(LateResultHead) + bytes);
  const LateResultHead head{Kind::kLateResult, verdict, bytes, w.member, w.request};
  std::memcpy(message.data(), &head, sizeof head);
  if (bytes != 0) std::memcpy(message.data() + sizeof head, data, bytes);
  on_late_result(message.data(), message.size());
}

// A member that took part in a collective and moved before its end.
void Gatherings::on_late_result(const char* message, std::size_t bytes) {
  const auto head = read<LateResultHead>(message);
  int rank = 0;
  switch (locator_.locate(head.member, &rank)) {
    case Locator::Where::kHere:
      give(head.member, head.request, head.verdict, message + sizeof head, head.bytes);
      return;
    case Locator::Where::kThere:
      net_.send_long(rank, std::vector<char>(message, message + bytes));
      return;
    case Locator::Where::kLater:
      net_.keep_for_later(std::vector<char>(message, message + bytes));
      return;
    default:
      return;
  }
}

void Gatherings::on_gather(int from, const char* message) {
  const auto head = read<GatherHead>(message);
  const auto found = teams_.find(head.team);
  if (found == teams_.end()) return;
  TeamState& team = found->second;
  Below& below = team.below.at(from);
  if (below.number != head.number) {
    below.usual = below.now;
    below.number = head.number;
    below.now = 0;
  }
  below.now += head.parts;
  Gathering& g = gathering(team, head);
  if (g.parts.head.parts == 0) change_open(1);
  const std::size_t first = g.parts.entries.size();
  g.parts.add(message);
  rider_.add(&g.parts.head.along, head.along);
  g.came += head.parts;
  g.counts[from] += head.parts;
  if (!for_root_only(head.what)) {
    std::vector<std::int32_t>& indices = g.below[from];  // that it took part is known by this
    for (std::size_t i = first; i < g.parts.entries.size(); ++i)
      indices.push_back(g.parts.entries[i].index);
  }
  consider(team, head.number);
}

void Gatherings::on_spread(const char* message) {
  Parts result;
  std::memcpy(&result.head, message, sizeof result.head);
  const auto found = teams_.find(result.head.team);
  if (found == teams_.end()) return;
  result.head.has_blob = 0;
  result.head.combine = nullptr;
  result.head.in_order = 0;
  result.add(message);
  std::memcpy(&result.head, message, sizeof result.head);
  spread(found->second, result.head.number, result);
}

// Whether a member that is on this rank has not taken part yet: its part will come here, or it will
// leave, and both lead to consider().
bool Gatherings::owed_here(std::uint64_t team, std::uint32_t number) const {
  return residents_.any([&](const Member& m) {
    return m.team == team && m.collectives - number - 1 >= UINT32_MAX / 2;
  });
}

bool Gatherings::busy() const {
  if (open_ == 0) return false;
  for (const auto& [id, team] : teams_) {
    if (tree_of(team).parent() < 0) continue;
    for (const auto& [number, g] : team.gatherings) {
      if (g.parts.head.parts != 0 && !owed_here(id, number)) return true;
    }
  }
  return false;
}

// While a member here has not taken part it is not late, and asking costs a look at all of them: a
// 64th of the time at most goes there.
void Gatherings::poll() {
  for (auto& [id, team] : teams_) {
    if (tree_of(team).parent() < 0) continue;
    std::vector<std::uint32_t> due;
    for (auto& [number, g] : team.gatherings) {
      const std::uint64_t now = __rdtsc();
      if (g.parts.head.parts == 0 || static_cast<std::int64_t>(now - g.due_ticks) < 0) continue;
      if (owed_here(id, number)) {
        const std::uint64_t then = __rdtsc();
        g.due_ticks = then + std::max(kPatienceTicks, 64 * (then - now));
      } else {
        ++g.late;  // twice as long the next time
        g.due_ticks = now + patience(g.late);
        due.push_back(number);
      }
    }
    for (const std::uint32_t number : due) send_up(team, number);
  }
}

std::span<const Kind> Gatherings::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kGather, Kind::kSpread, Kind::kLateResult, Kind::kTeamKnown,
                                  Kind::kGathered};
  return kOwn;
}

namespace {

template <class F>
void go_on_with_message(const char* message, F what) {
  const auto head = read<GatherHead>(message);
  go_on_with(head.what, head.team, head.bytes, what);
}

}  // namespace

void Gatherings::handle(int from, const char* message, std::size_t bytes) {
  switch (read<Kind>(message)) {
    case Kind::kGather:
      return go_on_with_message(message, [&] { on_gather(from, message); });
    case Kind::kSpread:
      return go_on_with_message(message, [&] { on_spread(message); });
    case Kind::kTeamKnown: {
      const auto head = read<TeamKnownHead>(message);
      known(head.team, head.size);
      return;
    }
    case Kind::kGathered:
      return on_gathered(message);
    default:
      return on_late_result(message, bytes);
  }
}

}  // namespace roam::runtime
