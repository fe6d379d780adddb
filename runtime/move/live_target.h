#ifndef ROAM_RUNTIME_MOVE_LIVE_TARGET_H_
#define ROAM_RUNTIME_MOVE_LIVE_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/range.h"
#include "isomalloc/arena.h"
#include "isomalloc/table.h"
#include "runtime/move/live_messages.h"
#include "runtime/net/net.h"

namespace roam::runtime {

// Pages of threads that are still elsewhere, as they come ahead of them: they lie in their place,
// in units that are kept memory to everybody else, so that whoever has a right to the addresses
// claims them as if nothing was there. Which pages of a unit have come is known as long as it is
// the unit that was taken for them: claimed, evicted or sealed meanwhile, it says nothing.
//
// Of each source one thread at a time. Context: the rank's kernel thread, capture off; of a rank
// that is alone on its node.
class LiveTarget {
 public:
  explicit LiveTarget(Net& net) : net_(net) {}
  ~LiveTarget() { pages_of_.unmap(); }
  LiveTarget(const LiveTarget&) = delete;
  LiveTarget& operator=(const LiveTarget&) = delete;

  void on_begin(int from, const LiveBeginHead& head);
  void on_pages(int from, const char* message, std::size_t bytes);
  void on_end(int from, const LiveEndHead& head);
  void on_there(int from, const char* message, std::size_t bytes);

  // The image of `transfer` is about to be claimed. True: `there` of it is here, and stays until
  // finish(). False: all of it has to come.
  bool has_there(int from, std::uint32_t transfer, std::vector<Range>* there);
  // It has been claimed, or refused: gives back what came and is not of it.
  void finish(int from, std::uint32_t transfer);

  // The node is short of memory.
  void reclaim();
  void poll();
  bool busy() const { return owes_word_ || !pieces_.empty(); }

 private:
  struct Landing {
    std::uint32_t number = 0;
    std::size_t bytes = 0;       // that may come
    std::size_t came_bytes = 0;  // of those: what has, about
    std::uint32_t mark = 0;      // of the units that were taken for it, among departures
    std::vector<Address> units;  // that were taken for it; some more than once
    bool lost = false, told = false;
    bool settling = false;  // it may not be given back now
    bool complete = false;  // all of `there` is known
    std::uint32_t transfer = 0;
    std::vector<Range> there;
  };

  // Pages on their way here.
  struct Piece {
    int from;
    std::uint32_t number;
    std::vector<Range> ranges;
    std::unique_ptr<char[]> memory;
    std::unique_ptr<Mpi::Bulk> bulk;
  };

  Landing* find(int from, std::uint32_t number);
  bool ours(const Landing& landing, Address unit) const;
  bool take(Landing& landing, Address unit);
  bool free_here(Address unit);
  bool land(Landing& landing, Range pages, const char* bytes);
  bool all_here(const Landing& landing) const;
  void drop(Landing& landing);
  void lose(Landing& landing);
  bool put_in_place(const Piece& piece);
  void tell_lost();
  std::uint32_t& pages_of(Address unit) {
    return pages_of_[iso::arena().offset(unit) / iso::kUnitBytes];
  }
  std::uint32_t pages_of(Address unit) const {
    return pages_of_[iso::arena().offset(unit) / iso::kUnitBytes];
  }

  Net& net_;
  std::map<int, Landing> landings_;     // by source
  std::deque<Piece> pieces_;            // in the order of their heads
  iso::Table<std::uint32_t> pages_of_;  // of each unit: a bit a page that has come
  bool mapped_ = false;
  bool owes_word_ = false;
  std::uint32_t next_mark_ = 0;
  std::vector<Range> free_;  // of this rank's pool, while pages of one message are put in place
  bool free_known_ = false;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_MOVE_LIVE_TARGET_H_
