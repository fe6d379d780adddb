#ifndef ROAM_MPI_CALLS_TYPES_H_
#define ROAM_MPI_CALLS_TYPES_H_

#include <mpi.h>

#include <cstddef>

namespace roam::mpi {

// A datatype as messages need it.
class Type {
 public:
  Type() = default;
  // Failure(MPI_ERR_TYPE): it is no datatype, or one that is not here yet.
  explicit Type(MPI_Datatype handle);

  MPI_Datatype handle() const { return handle_; }
  std::size_t size() const { return size_; }            // of the data of one element
  std::ptrdiff_t extent() const { return static_cast<std::ptrdiff_t>(size_); }
  // Whether elements lie together, from the address that is given for them.
  bool together() const { return true; }

 private:
  MPI_Datatype handle_ = MPI_DATATYPE_NULL;
  std::size_t size_ = 0;
};

// The bytes of `count` elements; Failure(MPI_ERR_COUNT): it is negative.
std::size_t bytes_of(const Type& type, MPI_Count count);
// Copies elements, from one type's to the other's of as many bytes.
void copy_elements(const void* from, MPI_Count from_count, const Type& from_type, void* to,
                   MPI_Count to_count, const Type& to_type);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_TYPES_H_
