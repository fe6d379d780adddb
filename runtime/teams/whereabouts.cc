#include "runtime/teams/whereabouts.h"

#include "runtime/teams/member.h"

namespace roam::runtime {

using detail::Peer;

void Whereabouts::add_team(std::uint64_t team, int size, int ranks) {
  teams_.insert_or_assign(team, Directions(size, ranks, net_.rank()));
}

void Whereabouts::set_member(std::uint64_t team, int index, Target target) {
  teams_.at(team).set_home(index, target);
}

Target Whereabouts::member(std::uint64_t team, int index) const {
  const Target* home = teams_.at(team).at_home(index);
  return home != nullptr ? *home : Target{};
}

void Whereabouts::forget_team(std::uint64_t team) {
  teams_.erase(team);
  last_team_ = 0;
}

Directions* Whereabouts::directions(std::uint64_t team) {
  if (team == last_team_) return last_directions_;
  const auto it = teams_.find(team);
  if (it == teams_.end()) return nullptr;
  last_team_ = team;
  return last_directions_ = &it->second;
}

Whereabouts::Found Whereabouts::find(std::uint64_t team, int index, Target* target, bool on_its_way,
                                     int* rank) {
  if (target->id != 0 && locator_.find_on_node(*target, rank) != nullptr)
    return *rank == net_.rank() ? Found::kHere : Found::kThere;
  const Directions* d = directions(team);
  if (d == nullptr) return Found::kEnded;
  if (const Target* home = d->at_home(index); home != nullptr) {
    *target = *home;
  } else if (const Directions::Known* known = d->heard_of(index); known != nullptr) {
    *target = known->target;
    if (!on_its_way && known->rank != net_.rank() && !net_.same_node(known->rank)) {
      *rank = known->rank;
      return Found::kThere;
    }
  }
  if (target->id == 0) {
    *rank = d->home_rank(index);
    return Found::kThere;
  }
  switch (locator_.locate(*target, rank)) {
    case Locator::Where::kHere:
      return Found::kHere;
    case Locator::Where::kThere:
      return Found::kThere;
    case Locator::Where::kLater:
      return Found::kLater;
    default:
      return Found::kEnded;
  }
}

Whereabouts::Found Whereabouts::look_for(std::uint64_t team, Peer* peer, int* rank) {
  const Found found = find(team, peer->index, &peer->target, false, rank);
  peer->rank = found == Found::kThere && net_.same_node(*rank) ? *rank : -1;
  peer->news = news_;
  return found;
}

void Whereabouts::tell(int to, std::uint64_t team, int index, Tcb* t) {
  const MemberAtHead news{
      Kind::kMemberAt, net_.rank(), team, {t->id.load(std::memory_order_relaxed), t},
      index,           t->hops};
  if (to == net_.rank()) {
    learn(news);
  } else {
    net_.send(to, news);
  }
}

void Whereabouts::learn(const MemberAtHead& news) {
  if (Directions* d = directions(news.team); d != nullptr)
    d->learn(news.index, {news.target, news.rank, news.hops});
  ++news_;
}

// ---- checkpoints ----

void Whereabouts::save(StateWriter& out) {
  out.put<std::uint64_t>(teams_.size());
  for (const auto& [team, d] : teams_) {
    const std::vector<Target>& home = d.all_at_home();
    out.put(MembersHomeHead{Kind::kMembersHome, d.size(), team, d.first_at_home(),
                            static_cast<std::int32_t>(home.size())});
    out.put_bytes(home.data(), home.size() * sizeof(Target));
  }
}

void Whereabouts::know_team(std::uint64_t team, int size) {
  if (directions(team) == nullptr) {
    add_team(team, size, net_.ranks());
    last_team_ = 0;
  }
}

void Whereabouts::restore(int piece, StateReader& in) {
  for (auto left = in.get<std::uint64_t>(); left > 0; --left) {
    MembersHomeHead head = in.get<MembersHomeHead>();
    // Every rank may be asked to pass messages on, and knows all teams.
    for (int rank = 0; piece == 0 && rank < net_.ranks(); ++rank)
      net_.send(rank, MembersHomeHead{Kind::kMembersHome, head.size, head.team, 0, 0});
    const std::string_view bytes = in.get_bytes();
    const std::size_t targets = bytes.size() / sizeof(Target);
    know_team(head.team, head.size);
    const Directions* d = directions(head.team);
    // In blocks that have one home.
    for (std::size_t begin = 0; begin < targets;) {
      const int rank = d->home_rank(head.first);
      std::size_t end = begin;
      while (end < targets && d->home_rank(head.first + static_cast<int>(end - begin)) == rank)
        ++end;
      head.count = static_cast<std::int32_t>(end - begin);
      net_.send_long(rank, head,
                     bytes.substr(begin * sizeof(Target), (end - begin) * sizeof(Target)));
      head.first += head.count;
      begin = end;
    }
  }
}

void Whereabouts::restored(Tcb* t) {
  if (member_of(t) == nullptr) return;
  know_team(member_of(t)->team, member_of(t)->size);
  member_of(t)->mailbox.peers().for_each([](Peer& peer) {
    peer.rank = -1;
    peer.news = 0;
  });
}

std::span<const Kind> Whereabouts::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kMemberAt, Kind::kMembersHome};
  return kOwn;
}

void Whereabouts::handle(int, const char* message, std::size_t) {
  if (read<Kind>(message) == Kind::kMembersHome) {
    const auto head = read<MembersHomeHead>(message);
    know_team(head.team, head.size);
    for (int i = 0; i < head.count; ++i) {
      const auto target =
          read<Target>(message + sizeof head + static_cast<std::size_t>(i) * sizeof(Target));
      set_member(head.team, head.first + i, target);
    }
    return;
  }
  learn(read<MemberAtHead>(message));
}

}  // namespace roam::runtime
