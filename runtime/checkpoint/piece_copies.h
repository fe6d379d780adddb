#ifndef ROAM_RUNTIME_CHECKPOINT_PIECE_COPIES_H_
#define ROAM_RUNTIME_CHECKPOINT_PIECE_COPIES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/checkpoint/aside.h"
#include "runtime/checkpoint/checkpoint_messages.h"
#include "runtime/checkpoint/piece_format.h"
#include "runtime/keeper/keeper_client.h"
#include "runtime/net/net.h"

namespace roam::runtime {

// Pieces in memory that the keeper of another node holds too, so that one node may be lost: a rank
// sends its own to a rank of the next node, a part at a time while it does other things, and that
// one gives it to its keeper.
//
// Context: the rank's kernel thread, capture off.
class PieceCopies {
 public:
  // `reach`: connects the client that it is given to this node's keeper; false and why.
  using Reach = std::function<bool(KeeperClient& client, std::string* why)>;
  PieceCopies(Net& net, Reach reach) : net_(net), reach_(std::move(reach)) {}

  // Begins to send the piece in `fd`, which stays as it is until sending() is false, and was made
  // on top of checkpoint `base` (0: none). False: there is no other node.
  bool begin(int fd, const PieceSummary& summary, std::uint64_t base);
  bool sending() const { return sent_.has_value(); }
  void poll();
  // How it went, once it is known.
  std::optional<bool> take_result(std::string* why);

  void take_part(int from, const CheckpointCopyHead& head, std::string_view bytes);
  void take_answer(const CheckpointCopiedHead& head, std::string_view why);
  // All keepers have checkpoint `number`: memory of those that it does not build on is free again.
  void settled(std::uint64_t number);
  // The job has ended, or the keeper is gone.
  void close();

 private:
  struct Sent {
    int fd;
    PieceSummary summary;
    std::uint64_t base = 0;
    std::uint64_t offset = 0;
    std::uint64_t left_with = 0;  // the last part has left when so many messages have
    bool all = false;             // an answer is awaited
  };
  // Of another rank.
  struct Kept {
    int fd = -1;
    std::uint64_t number = 0;
    std::vector<BaseEntry> bases;
    std::string why;  // it cannot be kept
  };
  bool keep(Kept& kept, const PieceSummary& summary, std::uint64_t base);

  Net& net_;
  Reach reach_;
  KeeperClient keeper_;
  Aside aside_;
  std::optional<Sent> sent_;
  std::optional<bool> result_;
  std::string why_;
  std::map<int, Kept> kept_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_PIECE_COPIES_H_
