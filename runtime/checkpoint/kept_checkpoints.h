#ifndef ROAM_RUNTIME_CHECKPOINT_KEPT_CHECKPOINTS_H_
#define ROAM_RUNTIME_CHECKPOINT_KEPT_CHECKPOINTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/checkpoint/manifest.h"
#include "runtime/keeper/buddy.h"
#include "runtime/keeper/keeper_client.h"
#include "runtime/net/net.h"

namespace roam::runtime {

// What keepers have of a folder's checkpoints, at a restart: those of every machine that ranks run
// on now, whatever its nodes were called when they were started.
//
// Context: as Restart. What is collective gives every rank the same.
class KeptCheckpoints {
 public:
  // Collective. A keeper that does not answer has nothing. Errors, on every rank:
  // Error(out_of_memory): one has not the memory, or the descriptors, to say what it has.
  KeptCheckpoints(Mpi& mpi, const std::string& folder);
  ~KeptCheckpoints() { drop(); }
  KeptCheckpoints(const KeptCheckpoints&) = delete;
  KeptCheckpoints& operator=(const KeptCheckpoints&) = delete;

  // By which keepers know the folder; empty: no job ever kept any of it in memory.
  const std::string& name() const { return name_; }
  // Of those that are complete: the texts, newest first.
  const std::vector<std::string>& manifests() const { return manifests_; }
  // The largest number of which a keeper has anything, whole or not; 0: none has.
  std::uint64_t largest_number() const;
  // Collective. Makes sure that this rank can open all files of the pieces that it reads, piece p
  // on rank Net::home_rank(p): those that no keeper of its machine has are sent by another rank,
  // and what a keeper does not give is taken from the next that has it. False, on every rank, with
  // `why`: one is nowhere, or, with `lacked`, may be somewhere, and there is no memory or
  // descriptor for it.
  bool bring(Net& net, const Manifest& manifest, std::string* why, bool* lacked);
  // Collective. Piece `piece` (-1: none of this rank's) was brought and is not what the manifest
  // says, for the reason `why`: what it was read from counts no more. False: no rank has said so;
  // else bring() may find others.
  bool distrust(Mpi& mpi, const Manifest& manifest, int piece, const std::string& why);
  // A descriptor of one of those, the caller's. -1 with errno.
  int open(const std::string& name) const;
  // Whether one that was brought came from another node's keeper than its reader's. Collective.
  bool from_buddy() const { return from_buddy_; }
  // Collective, when the checkpoint has been read: it is the newest for all keepers that have any
  // of it, and what was brought is closed.
  void settle(Mpi& mpi, const Manifest& manifest);
  // Those of this machine, which hold what they have for as long as somebody is connected.
  std::vector<std::shared_ptr<KeeperClient>> take_keepers();

 private:
  // Each from the keeper kept_[places[i]]. Which ones their readers have not got, on every rank;
  // `trouble` is why, where this rank knows.
  std::vector<std::size_t> bring_from(Mpi& mpi, const Manifest& manifest,
                                      const std::vector<WantedPiece>& wanted,
                                      const std::vector<std::size_t>& places, std::string* trouble);
  void send(Mpi& mpi, int to, int fd);
  int receive(Mpi& mpi, int from, std::string* why);
  bool has_chunk();
  void drop();

  std::string name_;
  std::vector<KeptAt> kept_;  // of all ranks
  std::vector<std::string> manifests_;
  std::map<int, std::unique_ptr<KeeperClient>> keepers_;  // of this machine, by node
  std::map<std::string, int> brought_;                    // files, open
  std::map<std::string, std::size_t> places_;             // in `kept_`, of all that were brought
  std::string wrong_;                                     // why one of them does not count
  std::string lacked_;  // for want of what this rank could not bring one
  std::vector<char> chunk_;
  bool from_buddy_ = false;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_KEPT_CHECKPOINTS_H_
