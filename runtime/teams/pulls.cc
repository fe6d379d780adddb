#include "runtime/teams/pulls.h"

#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

#include "runtime/teams/no_way_back.h"
#include "runtime/teams/requests.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::Envelope;
using detail::Parcel;
using detail::RequestState;

void Pulls::start(Tcb* t, RequestState* request, Parcel* far, Parcel* inside) {
  const Envelope e = far->envelope;
  const int tag = next_tag_ = (next_tag_ + 1) % 30'000;
  make_usable(request->data, e.bytes);  // the kernel may write there, without a handler of ours
  threads::on_rank_stack([&] {
    try {
      Pull& pull = pulls_.emplace_back(Pull{t, request, e, nullptr, inside});
      pull.bulk = net_.mpi().start_bulk(Mpi::Channel::kLetters);
      pull.bulk->receive(e.origin, tag, request->data, e.bytes);
    } catch (const std::bad_alloc&) {
      no_memory_to_go_on(e);
    }
  });
  if (inside != nullptr) ++into_parcels_;
  ++member_of(t)->pulls;
  net_.send(e.origin, PullHead{Kind::kPull, tag, far->original});
  store_.free(far);
  set_due(true);
}

bool Pulls::hand_on_when_done(Parcel* parcel, RequestState* request) {
  if (into_parcels_ == 0) [[likely]]
    return false;
  for (Pull& pull : pulls_) {
    if (pull.inside != parcel) continue;
    pull.given_up = true;
    pull.next = request;
    return true;
  }
  return false;
}

// What came into a parcel, which goes to who has received that meanwhile.
void Pulls::hand_on(const Pull& pull) {
  const Envelope e = pull.inside->envelope;
  if (pull.next != nullptr && e.bytes != 0)
    std::memcpy(pull.next->data, pull.inside->data, e.bytes);
  store_.free_parcel(pull.inside);
  if (pull.next != nullptr) finish_receive(pull.receiver, pull.next, e);
}

std::span<const Kind> Pulls::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kPull};
  return kOwn;
}

void Pulls::handle(int from, const char* message, std::size_t) {
  const auto head = read<PullHead>(message);
  Parcel* parcel = static_cast<Parcel*>(head.original);
  if (head.tag < 0) return open_.refuse(parcel);  // nobody wants it
  open_.take(parcel);
  try {
    BulkSend& send =
        sends_.emplace_back(BulkSend{parcel, net_.mpi().start_bulk(Mpi::Channel::kLetters)});
    send.bulk->send(from, head.tag, parcel->data, parcel->envelope.bytes);
  } catch (const std::bad_alloc&) {
    no_memory_to_go_on(parcel->envelope);
  }
  set_due(true);
}

void Pulls::poll() {
  for (std::size_t i = 0; i < pulls_.size();) {
    if (!pulls_[i].bulk->done()) {
      ++i;
      continue;
    }
    const Pull pull = std::move(pulls_[i]);
    pulls_.erase(pulls_.begin() + static_cast<std::ptrdiff_t>(i));
    --member_of(pull.receiver)->pulls;
    finish_receive(pull.receiver, pull.request, pull.envelope);
    if (pull.inside != nullptr) --into_parcels_;
    if (pull.given_up) hand_on(pull);
  }
  for (std::size_t i = 0; i < sends_.size();) {
    if (!sends_[i].bulk->done()) {
      ++i;
      continue;
    }
    Parcel* parcel = sends_[i].parcel;
    sends_.erase(sends_.begin() + static_cast<std::ptrdiff_t>(i));
    open_.were_taken(parcel);
  }
  set_due(busy());
}

}  // namespace roam::runtime
