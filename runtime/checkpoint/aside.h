#ifndef ROAM_RUNTIME_CHECKPOINT_ASIDE_H_
#define ROAM_RUNTIME_CHECKPOINT_ASIDE_H_

#include <cstdint>
#include <vector>

#include "base/range.h"

namespace roam::runtime {

// Memory beside the arena into which a rank copies its pieces while threads stand still. It is kept
// from one to the next, since pages that exist are written three times as fast as new ones.
class Aside {
 public:
  Aside() = default;
  ~Aside() { clear(); }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  // An object for a piece of `bytes`, of which `ranks` of this machine may want one now, and which
  // is nobody else's: it is that of checkpoint `number` from now on. -1: there is not enough
  // memory, with a good part of it left over.
  int take(std::uint64_t bytes, int ranks, std::uint64_t number);
  // That object as memory of this process, for as long as it is used.
  struct Mapped {
    char* memory = nullptr;    // null: it cannot be mapped
    std::uint64_t bytes = 0;   // whole pages
    std::uint64_t exists = 0;  // so many have been written before; behind them may be no memory yet
  };
  Mapped map(int fd, std::uint64_t bytes);
  // Those of other checkpoints are free again, but for the ones of `numbers`.
  void keep_only(const std::vector<std::uint64_t>& numbers);
  // What is free goes back to the machine, if it is much of what that has left.
  void give_back();
  // All is somebody else's from now on.
  void clear();

 private:
  struct Object {
    int fd;
    std::uint64_t number;  // 0: it is free
    Range mapped;
  };
  static void give_back(const Object& object);
  std::vector<Object> objects_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_ASIDE_H_
