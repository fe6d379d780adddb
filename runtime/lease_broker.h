#ifndef ROAM_RUNTIME_LEASE_BROKER_H_
#define ROAM_RUNTIME_LEASE_BROKER_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "isomalloc/range_pool.h"
#include "runtime/mpi/mpi.h"
#include "runtime/wire.h"

namespace roam::runtime {

// Where this rank's pools get more leases: half of each region is shared out at the start, the rest
// is counted out by rank 0, which is asked by message, long before a rank's own share ends. Also
// finds the owner of a free range that an unpacked block needs. While it waits for an answer it
// serves the other ranks' questions and puts their other messages aside.
class LeaseBroker final : public iso::LeaseSource {
 public:
  explicit LeaseBroker(Mpi& mpi) : mpi_(mpi) {}

  // Gives this rank its share.
  void share_out();

  std::optional<iso::LeaseRun> request(iso::Region region, std::size_t count) override;
  bool claim(Range range) override;

  // A message came. False: it is not about leases.
  bool handle(int from, const char* message);
  // Asks ahead if a pool runs low.
  void look_ahead();

  // Messages that came while this rank waited, in order.
  struct Aside {
    int from;
    std::vector<char> bytes;
  };
  std::deque<Aside>& aside() { return aside_; }

 private:
  // MPI is called on the rank's own stack only: a thread's may be small.
  std::optional<iso::LeaseRun> request_here(iso::Region region, std::size_t count);
  bool claim_here(Range range);
  LeaseHead grant(const LeaseHead& ask);
  bool give_up(Range range);
  void send(int to, const void* head, std::size_t bytes);
  // Handles what comes until `ready` says so.
  template <class Ready>
  void wait(Ready ready);

  Mpi& mpi_;
  std::size_t next_[iso::kRegions] = {};  // on rank 0: first lease that nobody owns
  bool asked_[iso::kRegions] = {};
  bool no_more_[iso::kRegions] = {};
  std::uint64_t next_request_ = 1;
  std::optional<LeaseHead> answer_;
  int claim_answers_ = 0;
  bool claim_given_ = false;
  std::deque<Aside> aside_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_LEASE_BROKER_H_
