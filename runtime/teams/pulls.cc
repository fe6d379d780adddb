#include "runtime/teams/pulls.h"

#include <cstddef>
#include <cstring>
#include <utility>

#include "runtime/teams/requests.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::Envelope;
using detail::Parcel;
using detail::RequestState;

void Pulls::start(Tcb* t, RequestState* request, Parcel* far, Parcel* inside) {
  const Envelope& e = far->envelope;
  const int tag = next_tag_ = (next_tag_ + 1) % 30'000;
  Pull pull{t, request, e, net_.mpi().start_bulk(Mpi::Channel::kLetters), inside};
  if (inside != nullptr) ++into_parcels_;
  ++member_of(t)->pulls;
  const int origin = e.origin;
  Parcel* original = far->original;
  make_usable(request->data, e.bytes);  // the kernel may write there, without a handler of ours
  threads::on_rank_stack(
      [&] { pull.bulk->receive(origin, tag, pull.request->data, pull.envelope.bytes); });
  net_.send(origin, PullHead{Kind::kPull, tag, original});
  pulls_.push_back(std::move(pull));
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
  BulkSend send{parcel, net_.mpi().start_bulk(Mpi::Channel::kLetters)};
  send.bulk->send(from, head.tag, parcel->data, parcel->envelope.bytes);
  sends_.push_back(std::move(send));
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
