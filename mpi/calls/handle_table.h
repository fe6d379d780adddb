#ifndef ROAM_MPI_CALLS_HANDLE_TABLE_H_
#define ROAM_MPI_CALLS_HANDLE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace roam::mpi {

// Objects that a program names by numbers, as MPICH's header has it: two bits of how the object was
// made, four of its kind, 26 of its place in a table.
//
//   31..30  1: of the standard (MPI_COMM_WORLD), 2: made by the program; 0: null
//   29..26  kind
//   25..0   index
enum class Kind : std::uint32_t {
  kComm = 1,
  kGroup = 2,
  kDatatype = 3,
  kErrhandler = 5,
  kOp = 6,
  kInfo = 7,
  kWindow = 8,
  kKeyval = 9,
  kRequest = 11,
  kMessage = 12,
  kSession = 14,
};

template <class T, Kind kKind>
class HandleTable {
 public:
  // The handle of `object`, which the table keeps. Numbers of removed ones are used again, the one
  // that was removed last first.
  int add(std::unique_ptr<T> object) {
    std::size_t index = objects_.size();
    if (free_.empty()) {
      objects_.push_back(std::move(object));
    } else {
      index = free_.back();
      free_.pop_back();
      objects_[index] = std::move(object);
    }
    return static_cast<int>(kMade | (static_cast<std::uint32_t>(index) + kFirst));
  }
  // Null: it names nothing of this kind that lives.
  T* find(int handle) const {
    const auto bits = static_cast<std::uint32_t>(handle);
    const std::uint32_t index = (bits & kIndexMask) - kFirst;
    if ((bits & ~kIndexMask) != kMade || index >= objects_.size()) return nullptr;
    return objects_[index].get();
  }
  std::unique_ptr<T> remove(int handle) {
    if (find(handle) == nullptr) return nullptr;
    const std::uint32_t index = (static_cast<std::uint32_t>(handle) & kIndexMask) - kFirst;
    free_.push_back(index);
    return std::move(objects_[index]);
  }
  void clear() {
    objects_.clear();
    free_.clear();
  }
  template <class Visit>
  void for_each(Visit visit) {
    for (const std::unique_ptr<T>& object : objects_) {
      if (object != nullptr) visit(*object);
    }
  }
  // Those of all that live.
  std::vector<int> handles() const {
    std::vector<int> all;
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      if (objects_[i] != nullptr)
        all.push_back(static_cast<int>(kMade | (static_cast<std::uint32_t>(i) + kFirst)));
    }
    return all;
  }
  std::size_t count() const { return objects_.size() - free_.size(); }

 private:
  static constexpr std::uint32_t kIndexMask = (1u << 26) - 1;
  // MPICH's pairs (MPI_DOUBLE_INT) have handles like those of types that a program makes.
  static constexpr std::uint32_t kFirst = kKind == Kind::kDatatype ? 16 : 0;
  static constexpr std::uint32_t kMade = 2u << 30 | static_cast<std::uint32_t>(kKind) << 26;
  std::vector<std::unique_ptr<T>> objects_;
  std::vector<std::uint32_t> free_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_HANDLE_TABLE_H_
