#ifndef ROAM_RUNTIME_TEAMS_PARCEL_STORE_H_
#define ROAM_RUNTIME_TEAMS_PARCEL_STORE_H_

#include <cstddef>

#include "runtime/net/component.h"
#include "runtime/teams/parcel.h"
#include "runtime/teams/resting_parcels.h"

namespace roam::runtime {

// Lets this rank read memory that another rank of the node has opened, or that was sealed here.
void make_usable(const void* data, std::size_t bytes);

// The memory of parcels that one rank makes: the heap of a thread that never runs, so that all
// ranks of the node can read it, and parcels that rest until they are used again.
//
// Context: the rank's kernel thread, capture off.
class ParcelStore final : public Component {
 public:
  explicit ParcelStore(int rank) : Component(/*heeds_idle=*/false, /*polls=*/false), rank_(rank) {}

  // Once the scheduler is there.
  void start();
  void reclaim() override;
  void finish_run() override;
  // The addresses of its memory: the messages in it have come into that of their receivers.
  void save(StateWriter& out) override;
  void restore(int piece, StateReader& in) override;

  // A parcel with the bytes inside. Errors: Error(out_of_memory); try_make: null then.
  detail::Parcel* make(const detail::Envelope& e, const void* data) {
    return require(try_make(e, data), e);
  }
  detail::Parcel* try_make(const detail::Envelope& e, const void* data);
  // One that has no bytes with it, kOpen or kFar; null: no memory.
  detail::Parcel* try_bare(const detail::Envelope& e, detail::Parcel::Place place);
  // Of a message whose bytes wait at `original`; null: no memory.
  detail::Parcel* try_far(const detail::Envelope& e, detail::Parcel* original);
  // Errors: Error(out_of_memory) if it is null.
  detail::Parcel* require(detail::Parcel* parcel, const detail::Envelope& e) const {
    if (parcel == nullptr) [[unlikely]]
      throw_no_memory(e);
    return parcel;
  }
  // Gives a parcel back whose bytes are inside or far; it may rest.
  void free_parcel(detail::Parcel* parcel);

  // Other memory that ranks of the node can read; null: there is none.
  void* allocate(std::size_t bytes);
  // What any rank of the node allocated.
  void free(void* block);

 private:
  [[noreturn]] void throw_no_memory(const detail::Envelope& e) const;

  int rank_;
  Tcb* thread_ = nullptr;
  RestingParcels resting_;
};

// The parcel, or what takes its place, in the memory of `t`, which goes to another node with it.
// What is open stays where it is. Null: there is no memory.
detail::Parcel* move_into(Tcb* t, detail::Parcel* parcel, ParcelStore& store);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_PARCEL_STORE_H_
