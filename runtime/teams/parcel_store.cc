#include "runtime/teams/parcel_store.h"

#include <cstring>
#include <new>
#include <vector>

#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/range_pool.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::Envelope;
using detail::Parcel;
using threads::scheduler;

void make_usable(const void* data, std::size_t bytes) {
  iso::Arena& arena = iso::arena();
  if (!arena.contains(data)) return;
  const Address begin = round_down(reinterpret_cast<Address>(data), iso::kUnitBytes);
  const Address end = round_up(reinterpret_cast<Address>(data) + bytes, iso::kUnitBytes);
  arena.reach(Range{begin, end - begin});
}

void ParcelStore::start() { thread_ = scheduler().slots().make(0, "post"); }

void ParcelStore::finish_run() {
  if (thread_ == nullptr) return;
  thread_->heap.collect();
  thread_->heap.release_all();
  scheduler().slots().retire(thread_);
  thread_ = nullptr;
}

void ParcelStore::reclaim() {
  resting_.take_all([this](Parcel* parcel) { free(parcel); });
  if (thread_ != nullptr) thread_->heap.release_empty();
}

// ---- checkpoints ----

void ParcelStore::save(StateWriter& out) {
  std::vector<Range> spans;
  thread_->heap.for_each_span([&](const iso::Span& span) { spans.push_back(span.range()); });
  out.put(threads::Slots::whole_range(thread_->slot));
  out.put_bytes(spans.data(), spans.size() * sizeof(Range));
}

void ParcelStore::restore(int, StateReader& in) {
  iso::pool(iso::Region::kSlots).take_in(in.get<Range>());
  const std::string_view spans = in.get_bytes();
  for (std::size_t at = 0; at < spans.size(); at += sizeof(Range))
    iso::pool(iso::Region::kHeap).take_in(read<Range>(spans.data() + at));
}

void ParcelStore::throw_no_memory(const Envelope& e) const {
  iso::HeapScope process;
  throw Error(Errc::out_of_memory,
              text("no memory for a message of %llu bytes to member %d on rank %d: %s",
                   static_cast<unsigned long long>(e.bytes), e.to, rank_,
                   iso::arena().limit().shortage().c_str()));
}

void* ParcelStore::allocate(std::size_t bytes) { return thread_->heap.allocate(bytes); }

void ParcelStore::free(void* block) {
  if (thread_->heap.owns_block(block)) {
    thread_->heap.free(block);
  } else {
    iso::Heap::free_from_elsewhere(block);
  }
}

Parcel* ParcelStore::try_make(const Envelope& e, const void* data) {
  const std::size_t size = Parcel::size_for(e.bytes);
  const bool fits = size <= Parcel::kSizes;
  Parcel* parcel = fits ? resting_.take(size) : nullptr;
  if (parcel == nullptr) {
    parcel = static_cast<Parcel*>(
        allocate(sizeof(Parcel) + (fits ? Parcel::room_bytes(size) : e.bytes)));
    if (parcel == nullptr) return nullptr;
  }
  new (parcel) Parcel;
  parcel->size = static_cast<std::uint8_t>(fits ? size : 0);
  parcel->envelope = e;
  parcel->data = parcel->inside();
  if (e.bytes != 0) std::memcpy(parcel->inside(), data, e.bytes);
  return parcel;
}

Parcel* ParcelStore::try_bare(const Envelope& e, Parcel::Place place) {
  void* room = allocate(sizeof(Parcel));
  if (room == nullptr) return nullptr;
  Parcel* parcel = new (room) Parcel;
  parcel->envelope = e;
  parcel->place = place;
  return parcel;
}

Parcel* ParcelStore::try_far(const Envelope& e, Parcel* original) {
  Parcel* parcel = try_bare(e, Parcel::Place::kFar);
  if (parcel != nullptr) parcel->original = original;
  return parcel;
}

void ParcelStore::free_parcel(Parcel* parcel) {
  if (!resting_.keep(parcel)) free(parcel);
}

Parcel* move_into(Tcb* t, Parcel* parcel, ParcelStore& store) {
  if (t->heap.contains(parcel)) return parcel;
  const bool inside = parcel->place == Parcel::Place::kInside;
  void* room = t->heap.allocate(sizeof(Parcel) + (inside ? parcel->envelope.bytes : 0));
  if (room == nullptr) return nullptr;
  Parcel* moved = new (room) Parcel;
  moved->envelope = parcel->envelope;
  if (inside) {
    moved->data = moved->inside();
    std::memcpy(moved->inside(), parcel->data, parcel->envelope.bytes);
  } else {
    moved->place = Parcel::Place::kFar;
    moved->original = parcel->place == Parcel::Place::kFar ? parcel->original : parcel;
  }
  if (parcel->place != Parcel::Place::kOpen) store.free_parcel(parcel);
  return moved;
}

}  // namespace roam::runtime
