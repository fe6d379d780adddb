#ifndef ROAM_RUNTIME_NET_CARD_SENDER_H_
#define ROAM_RUNTIME_NET_CARD_SENDER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "runtime/net/inbox.h"

namespace roam::runtime {

// A rank that leaves cards in the inboxes of its node.
class CardSender {
 public:
  // `node_rank`: this rank's place in its node, which has so many. Of later runs of a job nodes are
  // as they were, and so is what lies in them.
  void begin(int rank, int node_rank, int node_ranks) {
    rank_ = rank;
    node_rank_ = node_rank;
    each_ = Inbox::cards_of_each(node_ranks);
    lines_.resize(static_cast<std::size_t>(node_ranks));
  }
  // A message of two parts, to the node's rank `to`. False: it has to go otherwise.
  bool send(int to, const void* head, std::size_t head_bytes, const void* data, std::size_t bytes) {
    if (head_bytes + bytes > Card::kMostBytes || each_ == 0) return false;
    Line& line = lines_[static_cast<std::size_t>(to)];
    Inbox& there = inbox(to);
    if (line.sent - line.taken >= static_cast<std::uint32_t>(each_) && !has_room(line, there))
      return false;
    Card& card = there.card_of(node_rank_, line.sent, each_);
    std::memcpy(card.data, head, head_bytes);
    if (bytes != 0) std::memcpy(card.data + head_bytes, data, bytes);
    card.bytes = static_cast<std::uint32_t>(head_bytes + bytes);
    card.from = rank_;
    there.leave(card, line.sent++);
    return true;
  }

 private:
  struct Line {
    std::uint32_t sent = 0, taken = 0;  // of those sent, when it was looked last
    std::uint8_t left = 0, pause = 0;   // messages that go otherwise
  };
  // A look at what the owner has taken costs a cache line's way. After one in vain so many messages
  // go otherwise, more of them each time.
  static constexpr int kLeastPause = 8, kMostPause = 64;
  bool has_room(Line& line, const Inbox& there) const {
    if (line.left != 0) {
      --line.left;
      return false;
    }
    line.taken = there.taken_of(node_rank_);
    if (line.sent - line.taken < static_cast<std::uint32_t>(each_)) {
      line.pause /= 2;
      return true;
    }
    line.pause = static_cast<std::uint8_t>(std::clamp(2 * line.pause, kLeastPause, kMostPause));
    line.left = line.pause;
    return false;
  }

  int rank_ = 0, node_rank_ = 0, each_ = 0;
  std::vector<Line> lines_;  // to each rank of the node
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_CARD_SENDER_H_
