#ifndef ROAM_RUNTIME_NET_INBOX_H_
#define ROAM_RUNTIME_NET_INBOX_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "isomalloc/arena.h"
#include "threads/tcb.h"

namespace roam::runtime {

// What lies in an inbox beside threads: the beginning of a message in memory that the node shares.
struct Mail {
  Mail* next = nullptr;
};

// A short message in an inbox itself, in two cache lines that lie side by side.
// The owner looks at the second one until it has its turn; so that is written last, and at once.
struct alignas(128) Card {
  static constexpr std::size_t kMostBytes = 112;
  char data[kMostBytes];
  std::uint32_t bytes;
  std::int32_t from;  // rank
  std::uint32_t unused;
  std::atomic<std::uint32_t> turn;  // how many its sender has left here, with this one
};

// One rank's mailbox in the memory that its node shares: lock-free lists of control blocks and of
// messages, pushed by the other ranks of the node, taken whole by the owner; and a few cards of
// each of them. A hop inside a node is one push and one take.
//
// Each way of a cache line from core to core is much of what a short message takes. A card is
// written by one rank, read by another, and nothing else is touched: who sends knows without a look
// that there is room, until it has left as many as there are places. What the owner writes alone
// lies in lines of its own. See docs/decisions/0062-cards.md.
class alignas(128) Inbox {
 public:
  static constexpr int kCards = 24;
  // How many places each rank of a node has for cards to another; 0: there are too many ranks.
  static constexpr int cards_of_each(int node_ranks) {
    const int most = kCards / node_ranks;
    return most == 0 ? 0
                     : std::min(8, static_cast<int>(std::bit_floor(static_cast<unsigned>(most))));
  }

  // Hands `t` over; wakes the owner if it sleeps. Any rank of the node.
  void push(detail::Tcb* t);
  // All that were pushed, oldest first, linked by next; null if none.
  detail::Tcb* take();
  // The same of messages.
  void push(Mail* mail);
  Mail* take_mail();
  // The ranks of the node. Owner; before it, cards lie unseen.
  void set_senders(int node_ranks) {
    each_ = cards_of_each(node_ranks);
    senders_ = each_ == 0 ? 0 : node_ranks;
  }
  // Where the card after `sent` others of the node's rank `sender` goes. Cards and mail may
  // overtake each other. REQUIRES: there are places for more than sent - taken_of(sender).
  Card& card_of(int sender, std::uint32_t sent, int cards_of_each) {
    return cards_[place_of(sender, sent, cards_of_each)];
  }
  // Hands it over: its bytes are there.
  void leave(Card& card, std::uint32_t sent) {
    card.turn.store(sent + 1, std::memory_order_seq_cst);
    wake();
  }
  std::uint32_t taken_of(int sender) const {
    return taken_[sender].load(std::memory_order_acquire);
  }
  // Calls `take` for each card that lies there. Owner.
  template <class Take>
  void take_cards(Take take) {
    for (int sender = 0; sender < senders_; ++sender) {
      std::uint32_t taken = taken_[sender].load(std::memory_order_relaxed);
      for (const Card* card; (card = card_there(sender, taken)) != nullptr;) {
        take(*card);
        taken_[sender].store(++taken, std::memory_order_release);
      }
    }
  }
  // Messages: mail or cards.
  bool has_mail() const { return mail_.load(std::memory_order_relaxed) != nullptr || has_card(); }
  bool empty() const { return head_.load(std::memory_order_relaxed) == nullptr && !has_mail(); }
  // How many threads are ready on the owner's rank, and a rank that would take some; -1: none.
  void publish(std::uint32_t ready) { ready_.store(ready, std::memory_order_relaxed); }
  std::uint32_t ready() const { return ready_.load(std::memory_order_relaxed); }
  void ask(int rank) {
    std::int32_t nobody = 0;
    asker_.compare_exchange_strong(nobody, rank + 1, std::memory_order_relaxed);
  }
  int take_asker() {
    if (asker_.load(std::memory_order_relaxed) == 0) return -1;
    return asker_.exchange(0, std::memory_order_relaxed) - 1;
  }
  // Owner: sleeps until a push or a wake, at most `ns`; not at all if `called` says yes once the
  // sleep is announced.
  void sleep(std::int64_t ns, bool (*called)());
  // Ends the owner's sleep, after what `called` looks at was changed.
  void wake();

 private:
  // `each` is a power of two.
  static std::size_t place_of(int sender, std::uint32_t number, int each) {
    const auto places = static_cast<std::uint32_t>(each);
    return static_cast<std::uint32_t>(sender) * places + (number & (places - 1));
  }
  const Card* card_there(int sender, std::uint32_t taken) const {
    const Card& card = cards_[place_of(sender, taken, each_)];
    return card.turn.load(std::memory_order_acquire) == taken + 1 ? &card : nullptr;
  }
  bool has_card() const {
    for (int sender = 0; sender < senders_; ++sender) {
      if (card_there(sender, taken_[sender].load(std::memory_order_relaxed)) != nullptr)
        return true;
    }
    return false;
  }

  std::atomic<detail::Tcb*> head_;
  std::atomic<Mail*> mail_;
  std::atomic<std::uint32_t> asleep_;
  alignas(128) std::atomic<std::uint32_t> ready_;
  std::atomic<std::int32_t> asker_;
  // By the owner: of each rank of the node, how many of its cards were taken.
  alignas(128) std::int32_t senders_;
  std::int32_t each_;
  std::atomic<std::uint32_t> taken_[kCards];
  Card cards_[kCards];
};

static_assert(sizeof(Inbox) * iso::Departures::kMostNodeRanks <= iso::Layout::kNodeRoomBytes);

// The inbox of the node's rank with that index.
inline Inbox& inbox(int node_rank) {
  return static_cast<Inbox*>(iso::arena().layout().node_room())[node_rank];
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_INBOX_H_
