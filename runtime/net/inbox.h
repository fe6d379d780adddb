#ifndef ROAM_RUNTIME_NET_INBOX_H_
#define ROAM_RUNTIME_NET_INBOX_H_

#include <atomic>
#include <cstdint>

#include "isomalloc/arena.h"
#include "threads/tcb.h"

namespace roam::runtime {

// What lies in an inbox beside threads: the beginning of a message in memory that the node shares.
struct Mail {
  Mail* next = nullptr;
};

// One rank's mailbox in the memory that its node shares: lock-free lists of control blocks and of
// messages, pushed by the other ranks of the node, taken whole by the owner. A hop inside a node is
// one push and one take.
class alignas(128) Inbox {
 public:
  // Hands `t` over; wakes the owner if it sleeps. Any rank of the node.
  void push(detail::Tcb* t);
  // All that were pushed, oldest first, linked by next; null if none.
  detail::Tcb* take();
  // The same of messages.
  void push(Mail* mail);
  Mail* take_mail();
  bool has_mail() const { return mail_.load(std::memory_order_relaxed) != nullptr; }
  bool empty() const {
    return head_.load(std::memory_order_relaxed) == nullptr &&
           mail_.load(std::memory_order_relaxed) == nullptr;
  }
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
  std::atomic<detail::Tcb*> head_;
  std::atomic<Mail*> mail_;
  std::atomic<std::uint32_t> asleep_;
  std::atomic<std::uint32_t> ready_;
  std::atomic<std::int32_t> asker_;
};

static_assert(sizeof(Inbox) * iso::Departures::kMostNodeRanks <= iso::Layout::kNodeRoomBytes);

// The inbox of the node's rank with that index.
inline Inbox& inbox(int node_rank) {
  return static_cast<Inbox*>(iso::arena().layout().node_room())[node_rank];
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_INBOX_H_
