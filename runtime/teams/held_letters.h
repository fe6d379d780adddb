#ifndef ROAM_RUNTIME_TEAMS_HELD_LETTERS_H_
#define ROAM_RUNTIME_TEAMS_HELD_LETTERS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "runtime/teams/letter.h"

namespace roam::runtime {

// Messages that have come, and that there is no memory to deliver: in memory of the process, or in
// their parcels. They hold their senders back by the room that they take (room.h).
class HeldLetters {
 public:
  // A message as it came: in a parcel if there was memory for one, else with its bytes.
  struct Held {
    LetterHead head{};
    std::vector<char> bytes;
    detail::Parcel* parcel = nullptr;
  };

  bool empty() const { return held_.empty(); }
  void add(detail::Parcel* parcel, Target receiver);
  void add(const LetterHead& head, const char* data);

  // Tries them in the order in which they came: deliver(held) adds what still has to wait. The
  // first that does is the last that is tried: it is behind the others then.
  template <class Deliver>
  void retry(Deliver deliver) {
    for (std::size_t n = held_.size(); n > 0; --n) {
      const Held held = std::move(held_.front());
      held_.pop_front();
      const std::size_t others = held_.size();
      deliver(held);
      if (held_.size() > others) break;
    }
    note_try();
  }
  // Whether the last try was some time ago: each asks for memory, and has what is kept given back
  // if there is none.
  bool may_retry() const;

  // For a person; empty if there are none.
  std::string describe() const;

 private:
  void note_try();

  std::deque<Held> held_;
  std::uint64_t tried_ticks_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_HELD_LETTERS_H_
