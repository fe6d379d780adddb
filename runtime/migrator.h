#ifndef ROAM_RUNTIME_MIGRATOR_H_
#define ROAM_RUNTIME_MIGRATOR_H_

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/image.h"
#include "runtime/mpi/mpi.h"
#include "runtime/wire.h"

namespace roam::runtime {

// Moves threads between nodes, in two phases: the source lets go only after the target has the
// whole image; if the target cannot take it, the thread goes on at the source.
//
//   small:  kImage (head, marks, runs, bytes) -->   <-- kTaken
//   large:  kOffer (head, marks, runs)        -->   <-- kAccept    bytes -->   <-- kTaken
//   either: kImage or kOffer                  -->   <-- kRefuse
//
// Bytes of a large image go from their place into their place. Any number of moves may be under
// way, both ways, while other threads run. Context: the rank's kernel thread, capture off.
class Migrator {
 public:
  // What happens to the threads that move.
  class Listener {
   public:
    virtual ~Listener() = default;
    // `t` has arrived; its memory is in place.
    virtual void arrived(Tcb* t, int from, const ImageHead& head) = 0;
    // The target has `t`: it is not on this rank any more.
    virtual void departed(std::uint64_t id, int to) = 0;
    // The target cannot take `t`, or an ended thread's remains for `joiner`: it is as before.
    virtual void refused(Tcb* t, int to, Errc code, const char* why, Target joiner) = 0;
  };

  Migrator(Mpi& mpi, Listener& listener, std::size_t eager_bytes, std::size_t keep_bytes)
      : mpi_(mpi), listener_(listener), eager_bytes_(eager_bytes), keep_bytes_(keep_bytes) {}

  // Sends suspended `t`, on no queue, to a rank of another node. With a `joiner`: an ended thread's
  // remains.
  void depart(Tcb* t, int to, Target joiner = {});

  // A message of a move came. False: it is not about a move.
  bool handle(int from, const char* message, std::size_t bytes);
  // Looks after transfers under way.
  void progress();
  bool busy() const { return !departures_.empty() || !arrivals_.empty(); }
  // Gives back all memory kept for threads that left.
  void drop_kept() { evict(0); }
  // Seals kept memory whose thread has not come back for a while.
  void seal_old();

  std::uint64_t moves_out = 0;
  std::uint64_t bytes_out = 0;

 private:
  struct Departure {
    Tcb* t;
    std::uint64_t id;
    int to;
    Target joiner;  // of an ended thread's remains
    Image image;
    std::unique_ptr<Mpi::Bulk> bulk;
    std::vector<std::unique_ptr<char[]>> staging;
    bool taken = false;
    bool returns = false;  // it has come back here before
  };
  struct Arrival {
    ImageHead head;
    int from;
    Image image;
    std::unique_ptr<Mpi::Bulk> bulk;
    std::vector<std::unique_ptr<char[]>> staging;
    std::vector<std::pair<char*, std::vector<Range>>>
        scatter;  // staged bytes and where they belong
  };
  using Key = std::pair<int, std::uint32_t>;  // sender and its number

  static void leave(const Departure& d, std::uint32_t transfer);
  void offer(Departure& d, const ImageHead& head);
  void on_image(int from, const char* message);
  void on_offer(int from, const char* message, std::size_t bytes);
  void on_more(int from, const char* message, std::size_t bytes);
  void consider(const Key& key);
  void on_accept(std::uint32_t transfer);
  void on_taken(std::uint32_t transfer);
  void on_refuse(const RefusalHead& refusal);
  void let_go(Departure& d, std::uint32_t transfer);
  bool claim(const Image& image, bool* returns, Errc* code, const char** why);
  void settle(const ImageHead& head, const Image& image, int from);
  void refuse(int to, std::uint32_t transfer, Errc code, const char* why);
  void reply(int to, Kind kind, std::uint32_t transfer);
  void evict(std::size_t keep);

  Mpi& mpi_;
  Listener& listener_;
  std::size_t eager_bytes_;
  std::size_t keep_bytes_;
  std::uint32_t next_transfer_ = 1;
  std::map<std::uint32_t, Departure> departures_;
  std::map<Key, Arrival> arrivals_;
  // Memory of threads that left, oldest first, with the bytes that were in use; and those of it
  // that are not sealed yet.
  struct Kept {
    std::uint64_t id;
    std::vector<Mark> marks;
    std::size_t bytes;
    std::int64_t since_ns;
    bool sealed;
  };
  struct Unsealed {
    std::uint64_t id;
    std::int64_t since_ns;
  };
  static void seal(Kept& kept);
  void forget_kept(std::uint64_t id);
  std::list<Kept> kept_;
  std::unordered_map<std::uint64_t, std::list<Kept>::iterator> kept_of_;
  std::deque<Unsealed> unsealed_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_MIGRATOR_H_
