#ifndef ROAM_RUNTIME_CHECKPOINT_RESTART_H_
#define ROAM_RUNTIME_CHECKPOINT_RESTART_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/checkpoint/kept_checkpoints.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/checkpoint/piece.h"
#include "runtime/life/lifecycle.h"
#include "runtime/move/lease_broker.h"
#include "runtime/net/net.h"

namespace roam::runtime {

// The start of a job that goes on from a checkpoint, step by step; every rank takes each of them.
// Piece p is read by rank Net::home_rank(p). Ranks beyond the pieces have no thread at first:
// threads that share memory without a word stay together, and only the program, or a balancer that
// it lets, knows who may go there.
//
// Context: the rank's kernel thread, its own stack, capture off.
class Restart {
 public:
  // Collective, before the arena is cut into leases. Rank 0 looks into `folder`, and names what it
  // passes over; every rank asks the keepers of its machine, which hold checkpoints in memory. Of
  // both the newest counts, and of equals the one in memory. Errors, on every rank:
  // Error(checkpoint_failed): there is none that is whole; Error(layout_mismatch): this is another
  // program, or laid out otherwise, `mine` tells how. Files of other users are passed over, unless
  // `of_others`; keepers of theirs are never asked.
  Restart(Mpi& mpi, const std::string& folder, bool of_others, const Manifest& mine);
  // Of the job that made it.
  std::uint64_t canary() const { return manifest().canary; }

  // Before nodes are made: into the leases of the job that made it. Errors, on every rank:
  // Error(layout_mismatch).
  void cut_arena() const;
  // Collective, when the arena is ready and nothing is in it: puts the memory of threads and blocks
  // in its place, of the newest checkpoint of which every byte is right, and tells `net` of its
  // homes. One that is torn, or lies nowhere, is passed over for the one before it. Errors, on
  // every rank, and nothing is here: Error(checkpoint_failed): none is left; Error(out_of_memory):
  // one may be whole, and a rank has not the memory, or the descriptors, to read it.
  void read(Net& net);
  // What is not memory of threads and blocks, before anything is made here.
  void take_over(LeaseBroker& leases);
  // What components knew. Then messages come to an end, and:
  void restore(const std::vector<Component*>& components);
  // ... threads are here, and go on as soon as the scheduler runs. Who had asked for the checkpoint
  // is told.
  void resume(const std::vector<Component*>& components, Lifecycle& life);
  std::uint64_t exit_code() const;  // of root, if it had ended, from this rank's pieces

  bool from_memory() const { return candidates_.front().in_memory; }
  // What those are called that have it, if it was in memory.
  const std::string& kept_name() const { return kept_.name(); }
  // Keepers of this machine, if it was in memory, where it stays while somebody is connected.
  std::vector<std::shared_ptr<KeeperClient>> take_keepers() { return kept_.take_keepers(); }
  // The largest number of those that were there, also of one that cannot be read, or of which only
  // keepers have a part.
  std::uint64_t last_number() const { return last_number_; }
  const Manifest& manifest() const { return candidates_.front().manifest; }

 private:
  struct Candidate {
    Manifest manifest;
    bool in_memory = false;
  };
  struct Piece {
    int number;
    std::unique_ptr<PieceReader> reader;
    std::size_t claimed = 0;  // images so far, and blocks
    std::size_t blocks = 0;
  };
  void add_candidates(Mpi& mpi, std::string* trouble);
  // Why a checkpoint cannot be read here.
  struct Trouble {
    std::string why;
    int piece = -1;       // which is to blame, if one is
    bool lacked = false;  // this rank had not what it takes: nothing is wrong with the checkpoint
  };
  bool bring_in(Trouble* trouble);
  bool read_pieces(Trouble* trouble);
  bool open_one(PieceReader* reader, int piece, std::string* why) const;
  void tell() const;
  bool place(Piece& piece, Trouble* trouble);
  void give_up();
  static std::string_view state_of(const Piece& piece, std::string_view name);

  Net* net_ = nullptr;
  std::string folder_;
  bool of_others_;
  KeptCheckpoints kept_;
  std::uint64_t last_number_ = 0;
  std::vector<Candidate> candidates_;  // newest first; the first is being read
  std::vector<Piece> pieces_;
  std::string first_leases_;  // of piece 0
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_RESTART_H_
