#ifndef ROAM_RUNTIME_NET_NET_H_
#define ROAM_RUNTIME_NET_NET_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/net/card_sender.h"
#include "runtime/net/component.h"
#include "runtime/net/inbox.h"
#include "runtime/net/mpi.h"
#include "threads/scheduler.h"

namespace roam::runtime {

// Of kFragment; its bytes follow.
struct FragmentHead {
  Kind kind;
  std::uint32_t number;
  std::uint64_t total;
  std::uint64_t offset;
};

// The ranks of the job and their nodes, as one rank sees them, and messages between them.
class Net final : public Component {
 public:
  // What is done with every message, whether it came from outside or from here. Set once.
  std::function<void(int from, const char* message, std::size_t bytes)> deliver;

  Mpi& mpi() { return mpi_; }
  // Collective. Cuts the job into nodes of at most `node_ranks` ranks (0: all that share memory;
  // without `share`, 1) and joins the node's memory. The arena is cut into leases for so many ranks
  // as there are, if it is not. Errors: Error(bad_option).
  void make_nodes(bool share, int node_ranks);
  // Counts begin anew.
  void begin_run() { handed_off_ = taken_over_ = 0; }

  int rank() const { return mpi_.rank(); }
  int ranks() const { return mpi_.ranks(); }
  // Errors: Error(no_such_rank) naming `call`.
  void check_rank(int rank, const char* call) const;
  int node() const { return nodes_.empty() ? 0 : nodes_[static_cast<std::size_t>(rank())]; }
  int node_of(int rank) const {
    return nodes_.empty() ? 0 : nodes_[static_cast<std::size_t>(rank)];
  }
  int node_count() const;
  // Threads and teams are known by the rank that made them, their home. A job that goes on from a
  // checkpoint of more ranks has homes beyond its ranks: each is taken over by one.
  int homes() const { return std::max(homes_, ranks()); }
  void set_homes(int homes) { homes_ = homes; }
  int home_rank(int home) const { return home < ranks() ? home : home % ranks(); }
  // This rank's place in its node.
  int own_node_rank() const { return node_rank_of(rank()); }
  // The same of another rank; 0 of the first of each node.
  int node_rank_of(int rank) const { return node_ranks_[static_cast<std::size_t>(rank)]; }
  // Ranks that share memory. Of the machine there may be more: mpi().host_ranks().
  int node_ranks() const { return shared_by_; }
  const std::vector<int>& node_of() const { return nodes_; }  // each rank
  bool same_node(int rank) const { return nodes_[static_cast<std::size_t>(rank)] == node(); }

  // ---- messages, to this rank too ----

  template <class Head>
  void send(int to, const Head& head) {
    send_bytes(to, reinterpret_cast<const char*>(&head), sizeof head);
  }
  // Of a head that ends with a text, as far as that goes.
  template <class Head>
  void send_to_why(int to, const Head& head) {
    send_bytes(to, reinterpret_cast<const char*>(&head), bytes_to_why(head));
  }
  // Of any length.
  void send_long(int to, const std::vector<char>& message);
  // The same of a head and the bytes that follow it.
  template <class Head>
  void send_long(int to, const Head& head, std::string_view behind) {
    std::vector<char> message(sizeof head + behind.size());
    std::memcpy(message.data(), &head, sizeof head);
    if (!behind.empty()) std::memcpy(message.data() + sizeof head, behind.data(), behind.size());
    send_long(to, message);
  }
  // To this rank, once there may be news: what it is about is on its way.
  template <class Head>
  void keep_for_later(const Head& head) {
    const char* bytes = reinterpret_cast<const char*>(&head);
    later_.emplace_back(bytes, bytes + sizeof head);
  }
  void keep_for_later(std::vector<char> message) { later_.push_back(std::move(message)); }

  // Delivers what this rank has sent to itself.
  void deliver_own() {
    if (!to_self_.empty()) deliver_all(to_self_);
  }
  // Delivers what was kept for later, which may be kept again.
  void deliver_later() { deliver_all(later_); }
  bool any_later() const { return !later_.empty(); }
  // Messages that came while a component waited for an answer: older than what comes now.
  void put_aside(int from, const char* message, std::size_t bytes) {
    aside_.push_back({from, std::vector<char>(message, message + bytes)});
  }
  bool any_aside() const { return !aside_.empty(); }
  void deliver_aside();

  // ---- inside the node, by shared memory ----

  Inbox& inbox_of(int rank) const { return inbox(node_ranks_[static_cast<std::size_t>(rank)]); }
  Inbox& own_inbox() const { return inbox_of(rank()); }
  // What passes through an inbox counts like a message. `item`: a thread or a parcel.
  template <class Item>
  void hand_off(int to, Item* item) {
    ++handed_off_;
    inbox_of(to).push(item);
  }
  // The same of a short message, a head and the bytes behind it. False: it has to go otherwise, and
  // nothing has happened.
  template <class Head>
  bool send_card(int to, const Head& head, const void* data, std::size_t bytes) {
    if (!cards_.send(node_rank_of(to), &head, sizeof head, data, bytes)) return false;
    ++handed_off_;
    return true;
  }
  void count_take() { ++taken_over_; }
  std::uint64_t handed_off() const { return handed_off_; }
  std::uint64_t taken_over() const { return taken_over_; }

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  bool quiet() const override {
    return later_.empty() && to_self_.empty() && aside_.empty() && !mpi_.sends_pending() &&
           own_inbox().empty();
  }
  // The same, without what has been sent: who counts messages sees when that was received.
  bool nothing_waits() const {
    return later_.empty() && to_self_.empty() && aside_.empty() && fragments_.empty() &&
           own_inbox().empty();
  }
  bool urgent() const override { return mpi_.sends_pending(); }

 private:
  using Messages = std::deque<std::vector<char>>;
  void send_bytes(int to, const char* bytes, std::size_t count) {
    if (to == rank()) {
      to_self_.emplace_back(bytes, bytes + count);
      return;
    }
    threads::on_rank_stack([&] {
      std::memcpy(mpi_.compose(count), bytes, count);
      mpi_.send(to);
    });
  }
  void deliver_all(Messages& queue);

  Mpi mpi_;
  std::vector<int> nodes_;       // of each rank: its node
  std::vector<int> node_ranks_;  // of each rank: its index in its node
  int homes_ = 0;
  int leader_ = 0;     // rank that made the memory of this node
  int shared_by_ = 1;  // so many ranks
  Messages later_, to_self_;
  struct Aside {
    int from;
    std::vector<char> bytes;
  };
  std::deque<Aside> aside_;
  std::uint64_t handed_off_ = 0, taken_over_ = 0;
  CardSender cards_;
  std::uint32_t next_fragment_ = 0;
  std::map<std::pair<int, std::uint32_t>, std::vector<char>> fragments_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_NET_H_
