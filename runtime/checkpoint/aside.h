#ifndef ROAM_RUNTIME_CHECKPOINT_ASIDE_H_
#define ROAM_RUNTIME_CHECKPOINT_ASIDE_H_

#include <cstdint>

namespace roam::runtime {

// Memory beside the arena into which a rank copies its piece while threads stand still. It is kept
// from one to the next, since pages that exist are written three times as fast as new ones, unless
// the next one is much smaller.
class Aside {
 public:
  Aside() = default;
  ~Aside();
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  // The object for a piece of `bytes`, of which `ranks` of this machine may want one now; -1: there
  // is not enough memory, with a good part of it left over.
  int take(std::uint64_t bytes, int ranks);
  int fd() const { return fd_; }  // that was taken; -1: none was

 private:
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_ASIDE_H_
