#ifndef ROAM_RUNTIME_PLACE_LOCATOR_H_
#define ROAM_RUNTIME_PLACE_LOCATOR_H_

#include <cstdint>
#include <map>

#include "runtime/net/net.h"
#include "runtime/place/directory.h"

namespace roam::runtime {

struct LocatedHead {
  Kind kind;
  std::uint64_t hops;
  std::uint64_t id;
  std::int32_t rank;
};

// The directory of a home that was another rank's: what Directory::save wrote follows.
struct HomeHead {
  Kind kind;
  std::int32_t home;
};

// Finds threads: in the node by their control blocks, elsewhere by way of their home ranks.
class Locator final : public Component {
 public:
  explicit Locator(Net& net) : net_(net), directory_(net.rank()) {}

  // What this rank knows as the home of threads.
  Directory& directory() { return directory_; }
  // The same of the home of `id`; null: that is another rank.
  Directory* directory_of(std::uint64_t id) {
    const int home = home_of(id);
    if (home == net_.rank()) [[likely]]
      return &directory_;
    return adopted(home);
  }
  const Directory* directory_of(std::uint64_t id) const {
    return const_cast<Locator*>(this)->directory_of(id);
  }
  // The rank that is the home of `id`; -1: no rank is.
  int home_rank_of(std::uint64_t id) const {
    const int home = home_of(id);
    return home < 0 || home >= net_.homes() ? -1 : net_.home_rank(home);
  }
  // The thread, if this node has it, else null. Where it is: certain if that is this rank; else it
  // may have gone on.
  Tcb* find_on_node(Target t, int* rank) const;
  // Whether it is on its way from this node to another one, which may still refuse it.
  static bool leaves_node(Target t);
  // Where a call about `t` goes next: nowhere (it is here), a rank, or it has to wait.
  enum class Where { kHere, kThere, kEnded, kUnknown, kLater };
  Where locate(Target t, int* rank) const;
  // The thread of that number has come to this rank from `from`, with so many hops: its home gets
  // to know, if it does not anyway.
  void note_arrival(std::uint64_t id, std::uint64_t hops, int from);

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  void save(StateWriter& out) override;
  void restore(int piece, StateReader& in) override;
  // Tells its home where it is.
  void restored(Tcb* t) override;

 private:
  Directory* adopted(int home);
  void take_over(int home, StateReader& in);

  Net& net_;
  Directory directory_;
  // Of homes beyond the ranks of this job, which this rank has taken over.
  std::map<int, Directory> adopted_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_PLACE_LOCATOR_H_
