// Collectives that are under way in a checkpoint.

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/text.h"
#include "runtime/teams/gathering.h"

namespace roam::runtime {

void Gatherings::settle() {
  for (auto& [id, team] : teams_) {
    const bool root = tree_of(team).parent() < 0;
    std::vector<std::uint32_t> open;
    for (auto& [number, g] : team.gatherings) {
      if (g.parts.head.parts == 0) continue;
      if (root) {
        settle(g);
      } else {
        open.push_back(number);
      }
    }
    for (const std::uint32_t number : open) send_up(team, number);
  }
}

std::string Gatherings::obstacle() const {
  for (const auto& [id, team] : teams_) {
    for (const auto& [number, g] : team.gatherings) {
      if (answered_by_rider(g.parts.head.what))
        return text("team %llu is being balanced", static_cast<unsigned long long>(id));
    }
  }
  return {};
}

void Gatherings::save(StateWriter& out) {
  out.put<std::uint64_t>(teams_.size());
  for (const auto& [id, team] : teams_) {
    out.put(TeamKnownHead{Kind::kTeamKnown, team.size, id});
    out.put<std::uint64_t>(static_cast<std::uint64_t>(std::ranges::count_if(
        team.gatherings, [](const auto& g) { return !g.second.is_nobodys(); })));
    for (const auto& [number, g] : team.gatherings) {
      if (g.is_nobodys()) continue;
      out.put<std::uint64_t>(g.parts.head.parts != 0 ? g.came : 0);
      out.put_bytes(g.waiters.data(), g.waiters.size() * sizeof(Waiter));
      const std::vector<char> parts = g.parts.pack();
      out.put_bytes(parts.data(), parts.size());
    }
  }
}

void Gatherings::restore(int piece, StateReader& in) {
  for (auto left = in.get<std::uint64_t>(); left > 0; --left) {
    const auto team = in.get<TeamKnownHead>();
    // Every rank may have to pass parts on.
    for (int rank = 0; piece == 0 && rank < net_.ranks(); ++rank) net_.send(rank, team);
    const int root = net_.home_rank(home_of(team.team));
    for (auto open = in.get<std::uint64_t>(); open > 0; --open) {
      const auto came = in.get<std::uint64_t>();
      const std::string_view waiters = in.get_bytes();
      const std::string_view parts = in.get_bytes();
      send_gathered(root, {Kind::kGathered, team.size, came, waiters.size() / sizeof(Waiter)},
                    waiters, parts);
      const auto collective = read<GatherHead>(parts.data());
      if (made_by_rider(collective.what)) tell_kind(team.size, collective);
    }
  }
}

void Gatherings::send_gathered(int to, const GatheredHead& head, std::string_view waiters,
                               std::string_view parts) {
  std::vector<char> message(sizeof head);
  std::memcpy(message.data(), &head, sizeof head);
  message.insert(message.end(), waiters.begin(), waiters.end());
  message.insert(message.end(), parts.begin(), parts.end());
  net_.send_long(to, message);
}

// Who has yet to take part does as those did who wait, though this job may balance another way.
void Gatherings::tell_kind(int size, const GatherHead& collective) {
  Parts nobodys;
  nobodys.head = collective;
  nobodys.clear();
  const std::vector<char> parts = nobodys.pack();
  for (int rank = 0; rank < net_.ranks(); ++rank)
    send_gathered(rank, {Kind::kGathered, size, 0, 0}, {}, {parts.data(), parts.size()});
}

// The root of a team is the home rank of its number: who made it.
Gatherings::TeamState& Gatherings::known(std::uint64_t id, int size) {
  const auto it = teams_.find(id);
  if (it != teams_.end()) return it->second;
  add_team(id, size, net_.home_rank(home_of(id)));
  return teams_.at(id);
}

// Results go to who waits by way of where it is now.
void Gatherings::on_gathered(const char* message) {
  const auto gathered = read<GatheredHead>(message);
  const char* waiters = message + sizeof gathered;
  const char* parts = waiters + gathered.waiters * sizeof(Waiter);
  const auto head = read<GatherHead>(parts);
  TeamState& team = known(head.team, gathered.size);
  Gathering& g = gathering(team, head);
  for (std::uint64_t i = 0; i < gathered.waiters; ++i)
    g.waiters.push_back(read<Waiter>(waiters + i * sizeof(Waiter)));
  if (head.parts == 0) return;
  if (g.parts.head.parts == 0) change_open(1);
  g.parts.add(parts);
  rider_.add(&g.parts.head.along, head.along);
  g.came += gathered.came;
}

}  // namespace roam::runtime
