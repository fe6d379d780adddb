#ifndef ROAM_RUNTIME_TEAMS_ROOM_H_
#define ROAM_RUNTIME_TEAMS_ROOM_H_

#include <algorithm>
#include <cstdint>

namespace roam::detail {

// One pair's part of what follows. `used` is the sender's, the others are the receiver's.
struct PeerRoom {
  std::uint64_t used = 0;      // was sent, and the receiver has not said that there is room again
  std::uint64_t owed = 0;      // came, and the sender was not told so yet
  std::uint64_t received = 0;  // by the program; counts up to a window or to `owed`, if that is
                               // more, while nothing is told
};

// What holds back who sends more than is received. Each pair of members has a window: who has sent
// so much waits until the receiver says that there is room again. That says so when half a window
// has come, as long as less than `most` lies there unreceived, from all senders together. When more
// does, a sender gets back what is received of its own messages and nothing else: so one that is
// listened to goes on, whoever else fills the mailbox.
//
// At most `most` and a window of each sender lie unreceived, and one message more of each, since
// one of any size may begin while there is room. Sizes are those of Room::bytes_for.
class Room {
 public:
  // A message takes more than its bytes.
  static constexpr std::uint64_t kHeadBytes = 256;
  static constexpr std::uint64_t bytes_for(std::uint64_t bytes) { return bytes + kHeadBytes; }

  // Of a member of a team of `size`; most 0: no bound.
  void set(std::uint64_t most, int size) {
    most_ = most == 0 ? UINT64_MAX : most;
    window_ = std::clamp(most_ / static_cast<std::uint64_t>(size), kLeastWindow, kMostWindow);
    if (most == 0) window_ = UINT64_MAX;
  }
  bool bounded() const { return window_ != UINT64_MAX; }
  // Whether the next message to this peer has to wait.
  bool full(const PeerRoom& p) const { return p.used >= window_; }

  // At the receiver. A message came; it will lie there; it was received, or given up.
  static void came(PeerRoom& p, std::uint64_t bytes) { p.owed += bytes; }
  void rests(std::uint64_t bytes) { resting_ += bytes; }
  void gone(PeerRoom& p, std::uint64_t bytes) {
    resting_ -= bytes;
    p.received = std::min(p.received + bytes, std::max(window_, p.owed));
  }
  static void passed(PeerRoom& p, std::uint64_t bytes) { p.received += bytes; }
  std::uint64_t resting() const { return resting_; }

  // What the sender is to be told now, 0: nothing yet.
  std::uint64_t take_due(PeerRoom& p) {
    if (p.owed < window_ / 2) return 0;
    std::uint64_t due = p.owed;
    if (resting_ >= most_) {
      withholds_ = true;
      due = std::min(due, p.received);
      if (due < window_ / 2) return 0;
    }
    p.owed -= due;
    p.received -= std::min(p.received, due);
    return due;
  }
  // Whether peers that were told nothing are to be looked at again; once.
  bool take_again() {
    if (!withholds_ || resting_ >= most_) return false;
    withholds_ = false;
    return true;
  }
  // All of it, of a member that goes for good; 0 where no sender can be waiting for it.
  std::uint64_t take_all(PeerRoom& p) const { return p.owed < window_ / 2 ? 0 : p.owed; }

 private:
  // Telling costs a message each half window: one for 60 messages of 8 KiB, or 2,000 short ones.
  static constexpr std::uint64_t kMostWindow = 1 << 20;
  static constexpr std::uint64_t kLeastWindow = 64 << 10;
  std::uint64_t most_ = UINT64_MAX;
  std::uint64_t window_ = UINT64_MAX;
  std::uint64_t resting_ = 0;
  bool withholds_ = false;
};

}  // namespace roam::detail

#endif  // ROAM_RUNTIME_TEAMS_ROOM_H_
