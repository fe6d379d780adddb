#include "runtime/teams/members.h"

#include <new>

#include "base/text.h"
#include "isomalloc/arena.h"

namespace roam::runtime {

using detail::Member;
using detail::Parcel;

void Members::came(Tcb* t) {
  residents_.add(*member_of(t));
  open_.came(*member_of(t));
  gatherings_.came(member_of(t)->team);
}

Departure Members::departs(Tcb* t, bool other_node) {
  Member& m = *member_of(t);
  if (m.pulls > 0) return Departure::kWait;
  if (other_node) {
    if (const Departure sends = open_.detach_all(m); sends != Departure::kGo) return sends;
    // A parcel that stays with its member lies in the member's memory.
    bool all = true;
    m.mailbox.change_all([&](Parcel* parcel) {
      Parcel* moved = move_into(t, parcel, parcels_);
      all = all && moved != nullptr;
      return moved != nullptr ? moved : parcel;
    });
    if (!all) return Departure::kNoMemory;
  }
  residents_.remove(m);
  gatherings_.left(m.team);
  return Departure::kGo;
}

Departure Members::leaves(Tcb* self) {
  Member& me = *member_of(self);
  if (const Departure sends = open_.detach_all(me); sends != Departure::kGo) return sends;
  residents_.remove(me);
  me.mailbox.take_all([&](Parcel* parcel) { open_.drop(parcel); });
  flow_.ends(me);
  gatherings_.left(me.team);
  return Departure::kGo;
}

void Members::forget_team(std::uint64_t team) {
  whereabouts_.forget_team(team);
  gatherings_.forget_team(team);
}

// ---- checkpoints ----

// What takes the place of `parcel`, with the bytes inside or on their way there, in the memory of
// `t`. If there is none: `parcel`.
Parcel* Members::bring(Tcb* t, Parcel* parcel) {
  const detail::Envelope e = parcel->envelope;
  if (parcel->place == Parcel::Place::kInside) {
    Parcel* moved = move_into(t, parcel, parcels_);
    no_memory_ = no_memory_ || moved == nullptr;
    return moved != nullptr ? moved : parcel;
  }
  void* room = t->heap.allocate(sizeof(Parcel) + e.bytes);
  if (room == nullptr) {
    no_memory_ = true;
    return parcel;
  }
  Parcel* inside = new (room) Parcel;
  inside->envelope = e;
  inside->data = inside->inside();
  const bool far = parcel->place == Parcel::Place::kFar;
  if (far && !net_.same_node(e.origin)) {
    auto request = std::make_unique<detail::RequestState>();
    request->kind = detail::RequestState::Kind::kReceive;
    request->data = inside->inside();
    request->bytes = e.bytes;
    parcel->envelope.note = 0;  // it has not been received
    pulls_.start(t, request.get(), parcel, inside);
    bringing_.push_back(std::move(request));
    return inside;
  }
  detail::RequestState request;
  request.data = inside->inside();
  Parcel* open = far ? parcel->original : parcel;
  make_usable(open, sizeof *open);
  open_.copy_to(&request, open);
  if (far) parcels_.free_parcel(parcel);
  return inside;
}

void Members::settle() {
  std::erase_if(bringing_, [](const auto& request) { return request->done; });
  no_memory_ = false;
  residents_.for_each([this](Member& m) {
    m.mailbox.change_all([&](Parcel* parcel) { return bring(m.thread, parcel); });
  });
}

std::string Members::obstacle() const {
  return no_memory_ ? "there is no memory for messages that were not received: " +
                          iso::arena().limit().shortage()
                    : std::string();
}

void Members::restored(Tcb* t) {
  if (member_of(t) == nullptr) return;
  new (&member_of(t)->among_residents) detail::ClearedHook;
  came(t);
}

std::uint64_t Members::causes() const {
  std::uint64_t count = 0;
  residents_.for_each(
      [&](const Member& m) { count += m.waiting && (m.full != nullptr || m.sends != nullptr); });
  return count;
}

std::string Members::describe_causes(std::uint64_t of_all_ranks) const {
  return text(
      "%llu members wait because nobody receives what they sent: up to %zu bytes may lie "
      "unreceived with a member. Receive them, or raise ROAM_UNRECEIVED",
      static_cast<unsigned long long>(of_all_ranks), unreceived_bytes_);
}

}  // namespace roam::runtime
