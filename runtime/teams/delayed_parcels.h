#ifndef ROAM_RUNTIME_TEAMS_DELAYED_PARCELS_H_
#define ROAM_RUNTIME_TEAMS_DELAYED_PARCELS_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "runtime/teams/parcel.h"

namespace roam::runtime {

// Parcels that wait for news of their receivers, or, with ROAM_SHUFFLE, for their turn to be late:
// the network is then one that delays and reorders.
class DelayedParcels {
 public:
  // `seed` 0: nothing is late by chance.
  explicit DelayedParcels(std::uint64_t seed) : random_(seed) {}

  bool shuffles() const { return random_ != 0; }
  bool empty() const { return parcels_.empty(); }
  // Until the next turn, when there may be news.
  void add(detail::Parcel* parcel) { parcels_.push_back({parcel, 1}); }
  // Room for one that is made after this: adding it takes no memory. Nothing else is added
  // meanwhile. Errors of the constructor: std::bad_alloc.
  class Place {
   public:
    explicit Place(DelayedParcels& of) : of_(of) { of_.add(nullptr); }
    ~Place() {
      if (of_.parcels_.back().parcel == nullptr) of_.parcels_.pop_back();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    void add(detail::Parcel* parcel) { of_.parcels_.back().parcel = parcel; }

   private:
    DelayedParcels& of_;
  };
  // By chance for some turns, half of all. False: it is not late.
  bool add_by_chance(detail::Parcel* parcel) {
    if (random_ == 0) return false;
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    const int turns = static_cast<int>(random_ % 32);
    if (turns >= 16) return false;
    parcels_.push_back({parcel, 1 + turns});
    return true;
  }
  // One turn: route(parcel) those that have waited long enough. They may be added again.
  template <class Route>
  void turn(Route route) {
    for (std::size_t n = parcels_.size(); n > 0; --n) {
      const Delayed d = parcels_.front();
      parcels_.pop_front();
      if (d.turns > 1) {
        parcels_.push_back({d.parcel, d.turns - 1});
      } else {
        route(d.parcel);
      }
    }
  }

 private:
  struct Delayed {
    detail::Parcel* parcel;
    int turns;
  };
  std::uint64_t random_;
  std::deque<Delayed> parcels_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_DELAYED_PARCELS_H_
