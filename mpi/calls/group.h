#ifndef ROAM_MPI_CALLS_GROUP_H_
#define ROAM_MPI_CALLS_GROUP_H_

#include <mpi.h>

#include <memory>
#include <utility>
#include <vector>

namespace roam::mpi {

// An ordered set of virtual ranks, by their numbers in MPI_COMM_WORLD. Never changed once made.
//
// Those of evenly spaced numbers, MPI_COMM_WORLD's own among them, take no memory for each.
class Group {
 public:
  Group() = default;  // of nobody
  explicit Group(std::vector<int> members);
  // `size` members from `first` on, `stride` apart.
  Group(int first, int stride, int size) : first_(first), stride_(stride), size_(size) {}

  int size() const { return size_; }
  // REQUIRES: 0 <= rank < size().
  int world_of(int rank) const {
    return members_ == nullptr ? first_ + rank * stride_
                               : members_->of_rank[static_cast<std::size_t>(rank)];
  }
  // Whether these are the virtual ranks 0 to count - 1, in their order.
  bool is_of_first(int count) const {
    return members_ == nullptr && first_ == 0 && stride_ == 1 && size_ == count;
  }
  // MPI_UNDEFINED: it is no member. O(1) of evenly spaced ones, else O(log size).
  int rank_of(int world) const;

  // MPI_IDENT, MPI_SIMILAR or MPI_UNEQUAL.
  int compare(const Group& other) const;
  // The order is that of the standard (6.3.2).
  Group join(const Group& other) const;
  Group intersect(const Group& other) const;
  Group subtract(const Group& other) const;
  // Those of these ranks, in their order. CallError(MPI_ERR_RANK): there is no such rank, or twice.
  Group pick(const std::vector<int>& ranks) const;
  // All but those.
  Group omit(const std::vector<int>& ranks) const;
  // The ranks that triplets (first, last, stride) name.
  // CallError(MPI_ERR_ARG): there is no such rank, or none, or one twice.
  std::vector<int> ranks_of(const int (*triplets)[3], int count) const;

 private:
  void check(const std::vector<int>& ranks) const;

  int first_ = 0, stride_ = 1, size_ = 0;
  struct Members {
    std::vector<int> of_rank;                    // its number
    std::vector<std::pair<int, int>> by_number;  // (number, rank), in the order of numbers
  };
  std::shared_ptr<const Members> members_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_GROUP_H_
