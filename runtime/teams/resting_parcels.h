#ifndef ROAM_RUNTIME_TEAMS_RESTING_PARCELS_H_
#define ROAM_RUNTIME_TEAMS_RESTING_PARCELS_H_

#include <cstddef>

#include "runtime/teams/parcel.h"

namespace roam::runtime {

// Parcels to be used again, whoever made them; by size class. Short parcels go on with the rank
// that received them: between members that answer each other none is freed, and their memory is in
// the cache of who uses it.
class RestingParcels {
 public:
  // So much room of each class rests at most.
  static constexpr std::size_t kMostBytes = 64 << 10;

  // Room of class `size`; null: none rests.
  detail::Parcel* take(std::size_t size) {
    List& list = lists_[size - 1];
    detail::Parcel* parcel = list.first;
    if (parcel == nullptr) return nullptr;
    list.first = parcel->next_parcel();
    --list.count;
    return parcel;
  }
  // False: it is not of a class, or enough of its class rest; it is still the caller's.
  bool keep(detail::Parcel* parcel) {
    if (parcel->size == 0) return false;
    List& list = lists_[parcel->size - 1u];
    if (list.count >= kMostBytes / detail::Parcel::room_bytes(parcel->size)) return false;
    parcel->next = list.first;
    list.first = parcel;
    ++list.count;
    return true;
  }
  // Takes all out.
  template <class Visit>
  void take_all(Visit visit) {
    for (std::size_t size = 1; size <= detail::Parcel::kSizes; ++size) {
      while (detail::Parcel* parcel = take(size)) visit(parcel);
    }
  }

 private:
  struct List {
    detail::Parcel* first = nullptr;
    std::size_t count = 0;
  };
  List lists_[detail::Parcel::kSizes];
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_RESTING_PARCELS_H_
