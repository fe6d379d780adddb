#ifndef ROAM_ISOMALLOC_RANGE_POOL_H_
#define ROAM_ISOMALLOC_RANGE_POOL_H_

#include <pthread.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "isomalloc/arena.h"
#include "isomalloc/free_ranges.h"

namespace roam::iso {

// Where a rank's pool gets address ranges that it does not own. The runtime answers with messages;
// tests with a fake.
class LeaseSource {
 public:
  virtual ~LeaseSource() = default;
  // A run of at least `count` leases that no rank owned; nothing if the job has no more.
  virtual std::optional<LeaseRun> request(Region region, std::size_t count) = 0;
  // Brings free ranges of other ranks into this rank's pool, so that one of `bytes` is there. False
  // if the job has none.
  virtual bool collect(Region region, std::size_t bytes) = 0;
  // Asks whoever owns the free `range` to give it to this rank; false if it is not free anywhere.
  virtual bool obtain(Range range) = 0;
};

// The free address ranges of one region that this rank owns. Ranges are tokens: whoever frees one
// owns it next, wherever it was born, so that freeing sends no message and addresses stay unique
// over the job.
//
// Freed memory rests with its pages until it is used again, up to ROAM_KEEP, since giving a page
// back and faulting it in again costs more than the copy that it would hold. Slots, and a few
// ranges of each size up to 1 MiB, rest by size, last in first out; the others grow together and
// are cut as they are needed.
// Units: bytes, always whole units (kUnitBytes).
class RangePool {
 public:
  struct Allocation {
    Range range;
    bool clean;  // reads as zeros; else it may hold what was there before
  };

  explicit RangePool(Region region) : region_(region) {}

  void set_source(LeaseSource* source) { source_ = source; }
  void set_keep_bytes(std::size_t bytes) { keep_bytes_ = bytes; }

  // This rank owns `run` from now on.
  void add(const LeaseRun& run);

  // A range of `bytes`, its leases open on this node; not marked in the unit map.
  // Errors: nothing, when there is no address space or no memory for page tables; errno is ENOMEM.
  // Cost:   O(1) for a size that was freed lately, else O(log n) in free ranges.
  std::optional<Allocation> allocate(std::size_t bytes);

  // The range is free and this rank's. `bytes_in_use` is about how much of it holds memory; 0:
  // none, and it reads as zeros.
  void free(Range range, std::size_t bytes_in_use);
  // The same of what lies behind a range that may grow over it again: it does not rest by size.
  void free_behind(Range range, std::size_t bytes_in_use);

  // Clean ranges for another rank, which owns them next: the first has at least `least` bytes, all
  // together have at most `bytes`, and they are no more than `count`. Empty if there is none so
  // long.
  std::vector<Range> give(std::size_t least, std::size_t bytes, std::size_t count);
  // The same of each clean range that is shorter than `bytes` and that `leaves` says yes to.
  std::vector<Range> give_pieces(std::size_t bytes, const std::function<bool(Range)>& leaves);
  std::size_t pieces() const { return clean_.count(); }
  // The other side: `range`, free and clean, is this rank's from now on.
  void take_in(Range range);
  // The same of all that a rank had in a job that goes on here. `low_water` is what it had.
  void take_over(const std::vector<Range>& ranges, std::size_t low_water);
  // Every range that is free here, resting or clean.
  std::vector<Range> all_free() const;

  // Takes exactly `range` out, resting or clean, if it is free here: for who owns what precedes it.
  bool extend(Range range);

  // Takes exactly `range` out, if it is free here. It is clean then.
  bool take(Range range);
  // The same, asking other ranks for it.
  bool take_or_obtain(Range range);

  // The longest range of resting memory, of those that have grown together.
  std::size_t longest_resting() const {
    return resting_ranges_.empty() ? 0 : resting_ranges_.largest().bytes;
  }
  // The same of ranges that hold no memory.
  std::size_t longest_clean() const { return clean_.empty() ? 0 : clean_.largest().bytes; }
  // In a child of fork, where no lease is open: resting ranges hold nothing, and are opened as
  // clean ones are. Allocates nothing.
  void memory_is_gone() { resting_closed_ = true; }
  // Whether `a` lies in a range that is free here. Context: any kernel thread; false on all but the
  // rank's own, and for ranges that rest by size.
  bool known_free(Address a) const;
  std::size_t free_bytes() const { return free_bytes_; }
  std::size_t resting_bytes() const { return resting_bytes_; }
  // Asks for leases before they are needed; called when the rank can afford a message.
  bool low() const { return free_bytes_ < low_water_; }
  std::size_t low_water() const { return low_water_; }
  bool refill(std::size_t bytes);

  // Gives the memory of resting ranges back until at most `bytes` rest.
  void trim(std::size_t bytes);

  void clear();  // forgets everything; for a new arena

 private:
  struct Resting {
    Range range;
    std::size_t in_use;
  };
  bool by_size_only(std::size_t bytes) const {
    return region_ == Region::kSlots || bytes == kUnitBytes;
  }
  std::optional<Range> take_resting(std::size_t bytes);
  std::optional<Range> take_clean(std::size_t bytes);
  void drop_oldest(std::size_t bytes, std::vector<Range>& dropped);
  void drop_older_halves(std::vector<Range>& dropped);
  void keep_within_limit();

  Region region_;
  LeaseSource* source_ = nullptr;
  pthread_t owner_{};
  std::size_t keep_bytes_ = 0;
  std::size_t free_bytes_ = 0;
  std::size_t resting_bytes_ = 0;
  std::size_t low_water_ = 0;
  bool resting_closed_ = false;  // see memory_is_gone()
  FreeRanges clean_;
  FreeRanges resting_ranges_;
  std::unordered_map<std::size_t, std::vector<Resting>> resting_;  // by size, last in first out
};

// This rank's pools. Kernel thread of the rank only; call with the capture off.
RangePool& pool(Region region);

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_RANGE_POOL_H_
