#ifndef ROAM_RUNTIME_BALANCING_LOOK_LENGTH_H_
#define ROAM_RUNTIME_BALANCING_LOOK_LENGTH_H_

#include <algorithm>

namespace roam::runtime {

// How long ranks compute, on average, between two looks at a team's loads. A look that is short
// follows loads at once, and takes a rank that another process held up for one that has more to do:
// plans that are made of that hold for nothing, and the next one takes them back. So looks become
// longer each time that a plan has not done what it was made for, which evens out what passes, and
// shorter again by less each time that one has: a plan and the one that takes it back together make
// them longer. Where no plan helps (one member has more to do than a rank's share), what is spent
// on plans stays a twentieth of the time, however long one takes.
class LookLength {
 public:
  static constexpr double kShortestS = 2e-3;
  static constexpr double kLongestS = 0.25;
  static constexpr double kMostBalancings = 20;

  double seconds() const { return seconds_; }

  // A look has been taken: how much the busiest rank has of the average, and whether a plan is made
  // of it; what a plan and its moves take, if one was made before.
  void looked(double imbalance, bool balances, double balancing_s = 0) {
    if (planned_for_ > 0) {
      const bool done = imbalance - 1 < (planned_for_ - 1) / 2;
      seconds_ = std::clamp(done ? seconds_ / 2 : seconds_ * 4, kShortestS,
                            std::max(kLongestS, kMostBalancings * balancing_s));
    }
    planned_for_ = balances ? imbalance : 0;
  }

 private:
  double seconds_ = kShortestS;
  double planned_for_ = 0;  // the imbalance that the last look led to a plan for; 0: it did not
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_BALANCING_LOOK_LENGTH_H_
