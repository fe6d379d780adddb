#include "runtime/place/locator.h"

#include "isomalloc/arena.h"

namespace roam::runtime {

// The rank is read before the id. A thread of this rank stays one until this rank lets it go, so an
// id that is read after this rank was seen belongs to it. The other way round, the thread may end
// on another rank between the two, and its slot come here with the next thread.
Tcb* Locator::find_on_node(Target t, int* there) const {
  iso::Arena& arena = iso::arena();
  const Address at = reinterpret_cast<Address>(t.control);
  if (!arena.region(iso::Region::kSlots).contains(at)) return nullptr;
  const Address unit = round_down(at, iso::kUnitBytes);
  if (arena.units().kind(unit) != iso::UnitKind::kSlotHead ||
      detail::tcb_of_head_unit(unit) != t.control)
    return nullptr;
  arena.reach_head(unit);
  *there = t.control->rank.load(std::memory_order_acquire);
  if (t.control->id.load(std::memory_order_acquire) != t.id) return nullptr;
  // Memory of a thread that left may be dropped at any time, and then reads as rank 0.
  if (*there == net_.rank() && t.control->rank.load(std::memory_order_acquire) != net_.rank())
    *there = -1;
  return *there >= 0 ? t.control : nullptr;
}

// Its home would send back here what is about it, at once and again and again, until where it goes
// has looked at messages. That rank's answer ends the mark; and whatever else lies there by now,
// another thread that leaves, has such an end.
bool Locator::leaves_node(Target t) {
  const iso::Arena& arena = iso::arena();
  const Address at = reinterpret_cast<Address>(t.control);
  return arena.region(iso::Region::kSlots).contains(at) &&
         arena.units().kind(at) >= iso::UnitKind::kLeaving;
}

Locator::Where Locator::locate(Target t, int* there) const {
  const int home = home_rank_of(t.id);
  if (t.id == 0 || home < 0) return Where::kUnknown;
  if (find_on_node(t, there) != nullptr)
    return *there == net_.rank() ? Where::kHere : Where::kThere;
  const bool own = home == net_.rank();
  const Directory* directory = own ? directory_of(t.id) : nullptr;
  if (own && (directory == nullptr || !directory->known(t.id))) return Where::kUnknown;
  if (own && directory->ended(t.id)) return Where::kEnded;
  if (leaves_node(t)) return Where::kLater;
  if (!own) {
    *there = home;
    return Where::kThere;
  }
  const auto away = directory->away(t.id);
  if (!away || *away == net_.rank()) return Where::kLater;  // on its way: news will come
  *there = *away;
  return Where::kThere;
}

void Locator::note_arrival(std::uint64_t id, std::uint64_t hops, int from) {
  const int home = home_rank_of(id);
  if (!net_.same_node(home) && home != from)
    net_.send(home, LocatedHead{Kind::kLocated, hops, id, net_.rank()});
}

// ---- checkpoints ----

Directory* Locator::adopted(int home) {
  const auto it = adopted_.find(home);
  return it == adopted_.end() ? nullptr : &it->second;
}

void Locator::save(StateWriter& out) {
  out.put<std::uint64_t>(1 + adopted_.size());
  const auto write = [&](int home, const Directory& directory) {
    StateWriter own;
    directory.save(own);
    out.put<std::int32_t>(home);
    out.put_text(own.bytes());
  };
  write(net_.rank(), directory_);
  for (const auto& [home, directory] : adopted_) write(home, directory);
}

void Locator::take_over(int home, StateReader& in) {
  if (home == net_.rank()) {
    directory_.restore(in);
  } else {
    adopted_.try_emplace(home, home).first->second.restore(in);
  }
}

void Locator::restore(int, StateReader& in) {
  for (auto left = in.get<std::uint64_t>(); left > 0; --left) {
    const int home = in.get<std::int32_t>();
    const std::string_view state = in.get_bytes();
    const int rank = net_.home_rank(home);
    if (rank == net_.rank()) {
      StateReader own(state);
      take_over(home, own);
      continue;
    }
    net_.send_long(rank, HomeHead{Kind::kHome, home}, state);
  }
}

void Locator::restored(Tcb* t) {
  const std::uint64_t id = t->id.load(std::memory_order_relaxed);
  note_arrival(id, t->hops, -1);
}

std::span<const Kind> Locator::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kLocated, Kind::kHome};
  return kOwn;
}

void Locator::handle(int, const char* message, std::size_t bytes) {
  if (read<Kind>(message) == Kind::kHome) {
    StateReader state({message + sizeof(HomeHead), bytes - sizeof(HomeHead)});
    take_over(read<HomeHead>(message).home, state);
    return;
  }
  const auto head = read<LocatedHead>(message);
  Directory* directory = directory_of(head.id);
  if (directory != nullptr && !directory->ended(head.id))
    directory->set_away(head.id, head.rank, head.hops);
}

}  // namespace roam::runtime
