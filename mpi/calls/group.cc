#include "mpi/calls/group.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mpi/calls/call_error.h"

namespace roam::mpi {

Group::Group(std::vector<int> members) : size_(static_cast<int>(members.size())) {
  if (size_ == 0) return;
  first_ = members[0];
  stride_ = size_ > 1 ? members[1] - members[0] : 1;
  bool even = stride_ > 0;
  for (int i = 1; even && i < size_; ++i)
    even = members[static_cast<std::size_t>(i)] == first_ + i * stride_;
  if (even) return;
  auto made = std::make_shared<Members>();
  made->of_rank = std::move(members);
  for (int i = 0; i < size_; ++i)
    made->by_number.emplace_back(made->of_rank[static_cast<std::size_t>(i)], i);
  std::sort(made->by_number.begin(), made->by_number.end());
  members_ = std::move(made);
}

int Group::rank_of(int world) const {
  if (members_ != nullptr) {
    const auto found = std::lower_bound(members_->by_number.begin(), members_->by_number.end(),
                                        std::pair(world, 0));
    return found == members_->by_number.end() || found->first != world ? MPI_UNDEFINED
                                                                       : found->second;
  }
  const int from_first = world - first_;
  if (size_ == 0 || from_first < 0 || from_first % stride_ != 0) return MPI_UNDEFINED;
  const int rank = from_first / stride_;
  return rank < size_ ? rank : MPI_UNDEFINED;
}

int Group::compare(const Group& other) const {
  if (size_ != other.size_) return MPI_UNEQUAL;
  bool same_order = true;
  std::vector<int> mine, theirs;
  for (int i = 0; i < size_; ++i) {
    mine.push_back(world_of(i));
    theirs.push_back(other.world_of(i));
    same_order = same_order && mine.back() == theirs.back();
  }
  if (same_order) return MPI_IDENT;
  std::sort(mine.begin(), mine.end());
  std::sort(theirs.begin(), theirs.end());
  return mine == theirs ? MPI_SIMILAR : MPI_UNEQUAL;
}

Group Group::join(const Group& other) const {
  std::vector<int> members;
  for (int i = 0; i < size_; ++i) members.push_back(world_of(i));
  for (int i = 0; i < other.size_; ++i) {
    if (rank_of(other.world_of(i)) == MPI_UNDEFINED) members.push_back(other.world_of(i));
  }
  return Group(std::move(members));
}

Group Group::intersect(const Group& other) const {
  std::vector<int> members;
  for (int i = 0; i < size_; ++i) {
    if (other.rank_of(world_of(i)) != MPI_UNDEFINED) members.push_back(world_of(i));
  }
  return Group(std::move(members));
}

Group Group::subtract(const Group& other) const {
  std::vector<int> members;
  for (int i = 0; i < size_; ++i) {
    if (other.rank_of(world_of(i)) == MPI_UNDEFINED) members.push_back(world_of(i));
  }
  return Group(std::move(members));
}

void Group::check(const std::vector<int>& ranks) const {
  std::vector<bool> named(static_cast<std::size_t>(size_));
  for (const int rank : ranks) {
    if (rank < 0 || rank >= size_) {
      throw CallError(MPI_ERR_RANK,
                      text("there is no rank %d in the group, which has 0 to %d", rank, size_ - 1));
    }
    if (named[static_cast<std::size_t>(rank)])
      throw CallError(MPI_ERR_RANK, text("rank %d is named twice", rank));
    named[static_cast<std::size_t>(rank)] = true;
  }
}

Group Group::pick(const std::vector<int>& ranks) const {
  check(ranks);
  std::vector<int> members;
  for (const int rank : ranks) members.push_back(world_of(rank));
  return Group(std::move(members));
}

Group Group::omit(const std::vector<int>& ranks) const {
  check(ranks);
  std::vector<bool> omitted(static_cast<std::size_t>(size_));
  for (const int rank : ranks) omitted[static_cast<std::size_t>(rank)] = true;
  std::vector<int> members;
  for (int i = 0; i < size_; ++i) {
    if (!omitted[static_cast<std::size_t>(i)]) members.push_back(world_of(i));
  }
  return Group(std::move(members));
}

std::vector<int> Group::ranks_of(const int (*triplets)[3], int count) const {
  std::vector<int> ranks;
  std::vector<char> named(static_cast<std::size_t>(size_));
  for (int i = 0; i < count; ++i) {
    const auto [first, last, stride] = triplets[i];
    if (stride == 0)
      throw CallError(MPI_ERR_ARG, text("the stride of range %d is 0; another is wanted", i));
    if (stride > 0 ? first > last : first < last) {
      throw CallError(MPI_ERR_ARG, text("range %d, from %d to %d in steps of %d, has no rank", i,
                                        first, last, stride));
    }
    for (long rank = first; stride > 0 ? rank <= last : rank >= last; rank += stride) {
      if (rank < 0 || rank >= size_) {
        throw CallError(MPI_ERR_ARG,
                        text("range %d has rank %ld; the group has 0 to %d", i, rank, size_ - 1));
      }
      if (std::exchange(named[static_cast<std::size_t>(rank)], true))
        throw CallError(MPI_ERR_ARG, text("range %d has rank %ld, which is named before", i, rank));
      ranks.push_back(static_cast<int>(rank));
    }
  }
  return ranks;
}

}  // namespace roam::mpi
