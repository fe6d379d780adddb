#ifndef ROAM_RUNTIME_MOVE_LEASE_BROKER_H_
#define ROAM_RUNTIME_MOVE_LEASE_BROKER_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/range.h"
#include "isomalloc/range_pool.h"
#include "runtime/net/message.h"
#include "runtime/net/net.h"

namespace roam::runtime {

struct LeaseHead {
  Kind kind;
  std::int32_t region;
  std::uint64_t request;  // odd: the asker waits for it
  std::uint64_t first;
  std::uint64_t count;
};

// How much a rank that asks for ranges needs them.
enum class Need : std::uint32_t {
  kSoon,  // it runs low: what can be spared
  kNow,   // it waits for one of `bytes`
  kAll,   // the same, and nobody has one: pieces may grow together
  kTidy,  // nobody asked: pieces go where their neighbours go
};

struct RangeAskHead {
  Kind kind;
  std::int32_t region;
  Need need;
  std::uint32_t padding;
  std::uint64_t bytes;
};

struct RangeGiftHead {
  Kind kind;
  std::int32_t region;
  Need need;                 // as asked
  std::uint32_t count;       // of the ranges behind this head
  std::uint64_t more;        // kAll: ask again
  std::uint64_t free_bytes;  // that the giver still has
  // How many messages with addresses the giver has sent, this one too, and received so far.
  std::uint64_t sent;
  std::uint64_t received;
};

struct ObtainHead {
  Kind kind;
  std::uint32_t given;
  Range range;
  std::uint64_t sent;  // of a reply, as above
  std::uint64_t received;
};

// Where this rank's pools get more addresses: half of each region is shared out at the start, the
// rest is counted out by rank 0, which is asked by message, long before a rank's own share ends.
// When rank 0 has no more either, other ranks are asked for free ranges: who frees a range owns it,
// so that a rank on which threads end has what one that makes them lacks. Also finds the owner of a
// free range that an unpacked block needs. While it waits for an answer it serves the other ranks'
// questions and puts their other messages aside. Between runs nobody can be asked: a rank has what
// it has, and rank 0 also what nobody owns.
//
// Addresses are given away clean, and travel in one message: from the pool that they leave to the
// one that they come into they belong to that message, and nobody else.
class LeaseBroker final : public Component, public iso::LeaseSource {
 public:
  explicit LeaseBroker(Net& net) : net_(net), mpi_(net.mpi()) {}

  // Gives this rank its share.
  void share_out();

  // ---- checkpoints ----

  // Which addresses are free here. Ranges that belong to threads and blocks are theirs.
  void save_addresses(StateWriter& out);
  // In place of share_out(), before anything is made: `first` is what rank 0 of the earlier job had
  // saved, of `pieces` ranks, and `own` what those had that this rank takes over from.
  // Errors: Error(out_of_address_space).
  void take_over(std::string_view first, const std::vector<std::string_view>& own, int pieces);

  std::optional<iso::LeaseRun> request(iso::Region region, std::size_t count) override;
  bool collect(iso::Region region, std::size_t bytes) override;
  bool obtain(Range range) override;

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  // Asks ahead if a pool runs low. Sends nothing while threads stand still.
  void poll() override;

 private:
  // MPI is called on the rank's own stack only: a thread's may be small.
  std::optional<iso::LeaseRun> request_here(iso::Region region, std::size_t count);
  bool collect_here(iso::Region region, std::size_t bytes);
  struct Flow {
    std::uint64_t sent = 0, received = 0;
    std::uint64_t free_bytes = 0;
  };
  bool ask_all(iso::Region region, Need need, std::size_t bytes, Flow* flow);
  bool obtain_here(Range range);
  LeaseHead grant(const LeaseHead& ask);
  bool give_up(Range range);
  void ask_around(iso::Region region);
  void ask_for_ranges(int rank, iso::Region region, Need need, std::size_t bytes);
  void give_ranges(int to, const RangeAskHead& ask);
  void take_ranges(int from, const char* message);
  void send_ranges(int to, const RangeGiftHead& head, const Range* ranges);
  int steward_of(iso::Region region, Range piece) const;
  void tidy(iso::Region region);
  // Its messages are apart from those for threads.
  void send(int to, const void* head, std::size_t bytes);
  // Handles what comes until `ready` says so.
  template <class Ready>
  void wait(Ready ready) {
    while (!ready()) wait_a_message();
  }
  void wait_a_message();

  Net& net_;
  Mpi& mpi_;
  std::size_t next_[iso::kRegions] = {};  // on rank 0: first lease that nobody owns
  bool asked_[iso::kRegions] = {};
  bool no_more_[iso::kRegions] = {};
  std::uint64_t next_request_ = 1;
  std::optional<LeaseHead> answer_;
  // Of each region: whom to ask first, whom this round of questions has reached, and from how few
  // free bytes on the next one begins: the last brought nothing.
  int giver_[iso::kRegions] = {};
  int asked_ranks_[iso::kRegions] = {};
  std::size_t dry_bytes_[iso::kRegions];
  std::size_t tidy_pieces_[iso::kRegions] = {};  // that were left after the last time
  bool collects_all_ = false;
  std::optional<RangeGiftHead> gift_;
  std::uint64_t addresses_sent_ = 0;  // messages that brought some
  std::uint64_t addresses_received_ = 0;
  int obtain_answers_ = 0;
  std::uint64_t obtain_sent_ = 0, obtain_received_ = 0;
  bool obtain_given_ = false;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_MOVE_LEASE_BROKER_H_
