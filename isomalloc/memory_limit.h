#ifndef ROAM_ISOMALLOC_MEMORY_LIMIT_H_
#define ROAM_ISOMALLOC_MEMORY_LIMIT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace roam::iso {

// ROAM_MEMORY, in two ways; what is kept for reuse is given back before either says no. Costs a
// comparison where there is no limit. Context: the rank's kernel thread.
class MemoryLimit {
 public:
  // `most_bytes` for a node; 0: no limit. `arena_bytes` is for messages.
  void set(std::size_t most_bytes, std::size_t arena_bytes) {
    most_bytes_ = most_bytes;
    arena_bytes_ = arena_bytes;
  }
  // `charged` is the node's count; `used` says how much memory the node has, of which
  // `whole_process` if it counts all that the process has: what it had before is not meant.
  void start(std::atomic<std::int64_t>* charged, std::size_t (*used)(), bool whole_process);

  // What heaps and isomalloc blocks of the node have is charged whole, touched or not, from when
  // they get it until they give it up or leave the node. False with ENOMEM: that would be too much.
  bool charge(std::size_t bytes) { return most_bytes_ == 0 || charge_slow(bytes); }
  void uncharge(std::size_t bytes) {
    if (most_bytes_ != 0) uncharge_slow(bytes);
  }
  // Whether that much can be charged now, and nothing has to be given back before.
  bool has(std::size_t bytes) const { return most_bytes_ == 0 || has_slow(bytes); }
  std::size_t charged() const;
  void set_charged(std::size_t bytes);
  // And the memory that the node really has, stacks and what is kept included: whether `bytes` more
  // stay below.
  bool left(std::size_t bytes) { return most_bytes_ == 0 || left_slow(bytes); }
  // Called when it would be too much. It gives memory back, and allocates none of the arena.
  void set_reclaim(void (*reclaim)()) { reclaim_ = reclaim; }

  // Why this rank got no memory the last time that it got none, for a message.
  enum class Shortage : std::uint8_t { kNone, kLimit, kAddresses, kKernel };
  void note_shortage(Shortage shortage) { shortage_ = shortage; }
  std::string shortage() const;

 private:
  std::size_t used() const;
  bool left_slow(std::size_t bytes);
  bool charge_slow(std::size_t bytes);
  bool has_slow(std::size_t bytes) const;
  bool try_charge(std::size_t bytes);
  void uncharge_slow(std::size_t bytes);
  bool reclaim();
  void note_limit();

  std::size_t most_bytes_ = 0;
  std::size_t arena_bytes_ = 0;
  std::atomic<std::int64_t>* charged_ = nullptr;
  std::size_t (*used_)() = nullptr;
  // Of what used() says: when this rank looked last; what it has charged since; what the process
  // had before, where it is the process's.
  std::size_t seen_bytes_ = 0, unseen_bytes_ = 0, first_bytes_ = 0;
  void (*reclaim_)() = nullptr;
  bool reclaiming_ = false;
  Shortage shortage_ = Shortage::kNone;
  std::size_t shortage_used_ = 0;  // of the node's memory, then
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_MEMORY_LIMIT_H_
