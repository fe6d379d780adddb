#include <cstring>
#include <new>

#include "runtime/teams/no_way_back.h"
#include "runtime/teams/post.h"
#include "threads/scheduler.h"

// Messages between nodes, as Post sends them and gets them.
namespace roam::runtime {

using detail::Envelope;
using detail::Parcel;

void Post::send_letter(int rank, const Envelope& e, Target target, const void* data) {
  const auto send_with = [&](const auto& head) {
    threads::on_rank_stack([&] {
      try {
        char* at = mpi_.compose(sizeof head + e.bytes);
        std::memcpy(at, &head, sizeof head);
        if (e.bytes != 0) std::memcpy(at + sizeof head, data, e.bytes);
        mpi_.send(rank);
      } catch (const std::bad_alloc&) {  // nothing is thrown from that stack to another
        no_memory_to_go_on(e);
      }
    });
  };
  if (e.forwards == 0 && e.origin == net_.rank()) {
    send_with(direct_head(e, target));
  } else {
    send_with(LetterHead{Kind::kLetter, 0, e, target, nullptr});
  }
}

// Towards a rank that knows more; the parcel is given up if its bytes can go themselves. False:
// there is no memory for what has to stay here until they are asked for.
bool Post::pass_on(int rank, Parcel* parcel, Target target) {
  if (net_.same_node(rank)) {
    push(rank, parcel, target);
    return true;
  }
  if (parcel->place == Parcel::Place::kInside) {
    const Envelope e = parcel->envelope;
    if (sizeof(LetterHead) + e.bytes <= mpi_.most_bytes()) {
      send_letter(rank, e, target, parcel->data);
    } else {
      Envelope from_here = e;
      from_here.origin = net_.rank();
      Parcel* open = open_.try_make(from_here, parcel->data, true, nullptr);
      if (open == nullptr) return false;
      net_.send(rank, LetterHead{Kind::kLetterOffer, 0, from_here, target, open});
    }
    parcels_.free_parcel(parcel);
    return true;
  }
  const bool far = parcel->place == Parcel::Place::kFar;
  net_.send(rank, LetterHead{Kind::kLetterOffer, 0, parcel->envelope, target,
                             far ? parcel->original : parcel});
  if (far) parcels_.free(parcel);
  return true;
}

// A message that has come is nobody's until it is delivered, passed on or held.
void Post::on_letter(const LetterHead& head, const char* data) try {
  if (head.kind == Kind::kLetterOffer || delayed_.shuffles()) {
    Parcel* parcel = head.kind == Kind::kLetterOffer
                         ? parcels_.try_far(head.envelope, head.original)
                         : parcels_.try_make(head.envelope, data);
    if (parcel == nullptr) return held_.add(head, data);
    parcel->receiver = head.target;
    if (!delayed_.add_by_chance(parcel)) route(parcel, head.target);
    return;
  }
  Target target = head.target;
  int rank = 0;
  const Found found = whereabouts_.find(head.envelope.team, head.envelope.to, &target, true, &rank);
  if (found == Found::kHere) {
    if (!deliver(target.control, head.envelope, data)) held_.add(head, data);
  } else if (found != Found::kEnded) {
    Parcel* parcel = parcels_.try_make(head.envelope, data);
    if (parcel == nullptr) return held_.add(head, data);
    route(parcel, target);
  } else {
    flow_.lost(head.envelope);
  }
} catch (const std::bad_alloc&) {
  no_memory_to_go_on(head.envelope);
}

// As they came, so that they go on if their receiver has moved, and are given up if it has ended.
void Post::retry_held() {
  held_.retry([this](const HeldLetters::Held& held) {
    if (held.parcel != nullptr) {
      route(held.parcel, held.head.target);
    } else {
      on_letter(held.head, held.bytes.data());
    }
  });
}

std::span<const Kind> Post::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kLetter, Kind::kDirect, Kind::kLetterOffer};
  return kOwn;
}

void Post::handle(int from, const char* message, std::size_t bytes) {
  if (read<Kind>(message) == Kind::kDirect) {
    const auto head = read<DirectHead>(message);
    return on_letter(letter_head(head, from, bytes - sizeof head), message + sizeof head);
  }
  const auto head = read<LetterHead>(message);
  on_letter(head, message + sizeof head);
}

}  // namespace roam::runtime
