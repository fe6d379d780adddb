#include "runtime/teams/mailbox.h"

#include <new>
#include <utility>

namespace roam::detail {
namespace {

std::uint32_t sequence_of(const runtime::Mail* early) {
  return static_cast<const Parcel*>(early)->envelope.sequence;
}

}  // namespace

// The slot of `index`, or the free one where it belongs.
std::size_t PeerTable::slot_of(int index) const {
  std::size_t at = static_cast<std::uint32_t>(index) * 0x9e3779b9u % slots_.size();
  while (slots_[at] != nullptr && slots_[at]->index != index) at = (at + 1) % slots_.size();
  return at;
}

Peer& PeerTable::find(int index) {
  if (!slots_.empty()) {
    Peer* found = slots_[slot_of(index)].get();
    if (found != nullptr) return *(last_ = found);
  }
  if (count_ * 2 >= slots_.size()) {
    std::vector<std::unique_ptr<Peer>> old(slots_.empty() ? 8 : slots_.size() * 2);
    old.swap(slots_);
    for (auto& peer : old) {
      if (peer != nullptr) slots_[slot_of(peer->index)] = std::move(peer);
    }
  }
  std::unique_ptr<Peer>& slot = slots_[slot_of(index)];
  slot = std::make_unique<Peer>();
  slot->index = index;
  ++count_;
  return *(last_ = slot.get());
}

bool PeerTable::try_find(int index) {
  try {
    find(index);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

RequestState* Mailbox::take(const Envelope& envelope) {
  if (posted_ == nullptr) return nullptr;
  Peer& peer = peers_[envelope.from];
  if (peer.next_in != envelope.sequence) return nullptr;
  for (RequestState** link = &posted_; *link != nullptr; link = &(*link)->next) {
    RequestState* request = *link;
    if (!matches(request->context, request->from, request->tag, envelope)) continue;
    if (request->kind == RequestState::Kind::kProbe || envelope.bytes > request->bytes ||
        request->refusal(envelope) != Errc{})
      return nullptr;
    *link = request->next;
    if (posted_end_ == &request->next) posted_end_ = link;
    ++peer.next_in;
    if (envelope.counts != 0) {
      const std::uint64_t room = Room::bytes_for(envelope.bytes);
      Room::came(peer.room, room);
      Room::passed(peer.room, room);
    }
    return request;
  }
  return nullptr;
}

void Mailbox::accept(Parcel* parcel, Receiver& receiver) {
  Peer& peer = peers_[parcel->envelope.from];
  const std::uint32_t sequence = parcel->envelope.sequence;
  if (parcel->envelope.counts != 0) {
    const std::uint64_t room = Room::bytes_for(parcel->envelope.bytes);
    Room::came(peer.room, room);
    room_.rests(room);
  }
  if (sequence == peer.next_in) {
    ++peer.next_in;
    deliver(parcel, receiver);
    catch_up(peer.index, receiver);
    return;
  }
  // Differences, since numbers wrap.
  runtime::Mail** link = &peer.early;
  while (*link != nullptr && sequence_of(*link) - peer.next_in < sequence - peer.next_in)
    link = &(*link)->next;
  parcel->next = *link;
  *link = parcel;
}

void Mailbox::catch_up(int from, Receiver& receiver) {
  Peer& peer = peers_[from];
  while (peer.early != nullptr && sequence_of(peer.early) == peer.next_in) {
    Parcel* parcel = static_cast<Parcel*>(peer.early);
    peer.early = parcel->next;
    ++peer.next_in;
    deliver(parcel, receiver);
  }
}

void Mailbox::deliver(Parcel* parcel, Receiver& receiver) {
  const Envelope& e = parcel->envelope;
  if (e.tag == kServedTag) return receiver.served(parcel);
  RequestState* probes = nullptr;
  for (RequestState** link = &posted_; *link != nullptr;) {
    RequestState* request = *link;
    if (!matches(request->context, request->from, request->tag, e)) {
      link = &request->next;
      continue;
    }
    *link = request->next;
    if (posted_end_ == &request->next) posted_end_ = link;
    if (request->kind == RequestState::Kind::kProbe) {
      request->next = probes;
      probes = request;
      continue;
    }
    request->error = request->refusal(e);
    if (request->error == Errc{}) {
      // Nothing is left for those that only look.
      for (; probes != nullptr;) {
        RequestState* probe = probes;
        probes = probe->next;
        post(probe);
      }
      gone(peers_[e.from], e);
      receiver.matched(request, parcel);
      return;
    }
    request->got(e);
    receiver.answered(request);
  }
  append(parcel);
  while (probes != nullptr) {
    RequestState* probe = probes;
    probes = probe->next;
    probe->got(e);
    receiver.answered(probe);
  }
}

// On its own: a message that is received at once need not save the registers that this takes.
[[gnu::noinline]] void Mailbox::append(Parcel* parcel) {
  Peer& peer = peers_[parcel->envelope.from];
  unexpected_.push_back(*parcel);
  peer.unexpected.push_back(*parcel);
}

Parcel* Mailbox::find(std::uint64_t context, int from, int tag) {
  if (unexpected_.empty()) return nullptr;
  if (from == kAny) return first_match(unexpected_, context, from, tag);
  Peer* peer = peers_.look(from);
  return peer != nullptr ? first_match(peer->unexpected, context, from, tag) : nullptr;
}

Parcel* Mailbox::find_sent(std::uint64_t context, int from, std::uint32_t sequence) {
  Peer* peer = unexpected_.empty() ? nullptr : peers_.look(from);
  if (peer == nullptr) return nullptr;
  for (Parcel& parcel : peer->unexpected) {
    const Envelope& e = parcel.envelope;
    if (e.sequence == sequence) return e.context == context ? &parcel : nullptr;
  }
  return nullptr;
}

void Mailbox::remove(Parcel* parcel) {
  Peer& peer = peers_[parcel->envelope.from];
  gone(peer, parcel->envelope);
  unexpected_.erase(unexpected_.iterator_to(*parcel));
  peer.unexpected.erase(peer.unexpected.iterator_to(*parcel));
}

void Mailbox::post(RequestState* request) {
  request->next = nullptr;
  *posted_end_ = request;
  posted_end_ = &request->next;
}

bool Mailbox::cancel(RequestState* request) {
  for (RequestState** link = &posted_; *link != nullptr; link = &(*link)->next) {
    if (*link != request) continue;
    *link = request->next;
    if (posted_end_ == &request->next) posted_end_ = link;
    return true;
  }
  return false;
}

void Mailbox::forget_posted() {
  for (RequestState* r = std::exchange(posted_, nullptr); r != nullptr;) {
    RequestState* const next = r->next;
    r->error = Errc::thread_ended;
    r->done = true;
    r = next;
  }
  posted_end_ = &posted_;
}

Mailbox::Counts Mailbox::counts() {
  Counts counts;
  counts.come = unexpected_.size();
  peers_.for_each([&](Peer& peer) {
    for (const runtime::Mail* m = peer.early; m != nullptr; m = m->next) ++counts.early;
  });
  counts.come += counts.early;
  return counts;
}

}  // namespace roam::detail
