#include "runtime/net/net.h"

#include <unistd.h>

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "roam/error.h"

namespace roam::runtime {

void Net::check_rank(int rank, const char* call) const {
  if (rank >= 0 && rank < ranks()) return;
  throw Error(Errc::no_such_rank,
              text("%s: there is no rank %d; the job has ranks 0 to %d", call, rank, ranks() - 1));
}

int Net::node_count() const { return *std::max_element(nodes_.begin(), nodes_.end()) + 1; }

void Net::make_nodes(bool share, int node_ranks) {
  mpi_.cut_nodes(share ? node_ranks : 1, iso::Departures::kMostNodeRanks);
  iso::Arena& arena = iso::arena();
  struct {
    int pid, fd, leader;
    std::uint64_t token;
  } info{getpid(), -1, mpi_.rank(), 0};
  bool member = true;
  int node_rank = mpi_.node_rank();
  if (!arena.ready()) {
    if (arena.lease_bytes() == 0) arena.set_ranks(mpi_.ranks());
    if (mpi_.node_ranks() == 1) {
      arena.use_private();
    } else {
      if (node_rank == 0) {
        info.fd = arena.create_shared();
        info.token = arena.token();
      }
      mpi_.node_broadcast(&info, sizeof info);
      if (node_rank != 0) member = arena.attach_shared(info.pid, info.fd, info.token);
      if (!member) {
        arena.use_private();
        node_rank = 0;
        info.leader = mpi_.rank();
        report(
            "the memory of this machine's other ranks cannot be reached (/proc/PID/fd); this rank "
            "is a node of its own");
      }
    }
  } else if (!node_ranks_.empty()) {
    // A later run of the same job: nodes are as they were.
    info.leader = leader_;
    node_rank = node_ranks_[static_cast<std::size_t>(mpi_.rank())];
  }
  leader_ = info.leader;
  arena.departures().set_node_rank(node_rank);
  const std::vector<int> leaders = mpi_.gather_ints(info.leader);
  std::vector<int> distinct = leaders;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  nodes_.clear();
  for (const int leader : leaders) {
    nodes_.push_back(static_cast<int>(std::lower_bound(distinct.begin(), distinct.end(), leader) -
                                      distinct.begin()));
  }
  node_ranks_ = mpi_.gather_ints(node_rank);
  shared_by_ = static_cast<int>(std::count(leaders.begin(), leaders.end(), leader_));
  // A rank of the machine that could not join has left a gap.
  int places = 0;
  for (std::size_t r = 0; r < leaders.size(); ++r) {
    if (leaders[r] == leader_) places = std::max(places, node_ranks_[r] + 1);
  }
  own_inbox().set_senders(places);
  cards_.begin(mpi_.rank(), own_node_rank(), places);
}

// ---- messages ----

// What these put back is for the next time.
void Net::deliver_all(Messages& queue) {
  for (std::size_t n = queue.size(); n > 0; --n) {
    const std::vector<char> message = std::move(queue.front());
    queue.pop_front();
    deliver(rank(), message.data(), message.size());
  }
}

void Net::deliver_aside() {
  while (!aside_.empty()) {
    const Aside message = std::move(aside_.front());
    aside_.pop_front();
    deliver(message.from, message.bytes.data(), message.bytes.size());
  }
}

void Net::send_long(int to, const std::vector<char>& message) {
  if (to == rank() || message.size() <= mpi_.most_bytes()) {
    send_bytes(to, message.data(), message.size());
    return;
  }
  threads::on_rank_stack([&] {
    FragmentHead head{Kind::kFragment, next_fragment_++, message.size(), 0};
    const std::size_t room = mpi_.most_bytes() - sizeof head;
    for (; head.offset < head.total; head.offset += room) {
      const std::size_t bytes = std::min<std::size_t>(room, head.total - head.offset);
      char* at = mpi_.compose(sizeof head + bytes);
      std::memcpy(at, &head, sizeof head);
      std::memcpy(at + sizeof head, message.data() + head.offset, bytes);
      mpi_.send(to);
    }
  });
}

std::span<const Kind> Net::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kFragment};
  return kOwn;
}

void Net::handle(int from, const char* message, std::size_t bytes) {
  const auto head = read<FragmentHead>(message);
  std::vector<char>& whole = fragments_[{from, head.number}];
  whole.insert(whole.end(), message + sizeof head, message + bytes);
  if (whole.size() < head.total) return;
  const std::vector<char> complete = std::move(whole);
  fragments_.erase({from, head.number});
  deliver(from, complete.data(), complete.size());
}

}  // namespace roam::runtime
