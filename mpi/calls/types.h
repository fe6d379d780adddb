#ifndef ROAM_MPI_CALLS_TYPES_H_
#define ROAM_MPI_CALLS_TYPES_H_

#include <mpi.h>

#include <cstddef>
#include <cstdint>

#include "mpi/datatype/datatype.h"
#include "mpi/datatype/failure.h"

namespace roam::mpi {

class VirtualRank;

// A datatype that a call was given; it lives as long as it is held.
class Type {
 public:
  Type() = default;
  // CallError(MPI_ERR_TYPE): it is no datatype, or was freed.
  Type(VirtualRank& me, MPI_Datatype handle);

  // CallError(MPI_ERR_TYPE): it is not committed. MPI_ERR_BUFFER: `count` elements, `offset` bytes
  // behind `data`, are nowhere, as that is null and their addresses are not absolute; or it is
  // MPI_IN_PLACE, where that is no buffer. Of no elements nothing is asked.
  void check_buffer(const void* data, MPI_Count count, MPI_Aint offset = 0) const;
  void check_committed() const;
  bool is_nowhere(const void* data, MPI_Count count, MPI_Aint offset = 0) const;

  MPI_Datatype handle() const { return handle_; }
  const Datatype& operator*() const { return *type_; }
  const Datatype* operator->() const { return type_.get(); }
  const TypeRef& ref() const { return type_; }

  // Of `count` elements, packed. CallError(MPI_ERR_COUNT): it is negative, or they are too many.
  std::size_t bytes(MPI_Count count) const {
    std::size_t bytes = 0;
    const bool good =
        count >= 0 &&
        !__builtin_mul_overflow(count, static_cast<std::size_t>(type_->size), &bytes) &&
        bytes <= PTRDIFF_MAX;
    return good ? bytes : refuse_count(count);
  }
  MPI_Aint extent() const { return type_->bounds.extent(); }

  // Where the bytes of `count` elements at `data` lie in a row; null: they do not.
  char* in_a_row(const void* data, MPI_Count count) const;
  // The same, for a receiver that reads them there: null also for constants of the program, which
  // are pages of its file in this process.
  char* readable_in_a_row(const void* data, MPI_Count count) const;
  // The same of what others write, while this virtual rank may not run: its thread_local variables
  // are in their place only while it does.
  char* writable_in_a_row(void* data, MPI_Count count) const;
  // Whether all memory between the first and the last byte of `count` elements at `data` is where
  // this virtual rank is, on whatever rank that is.
  bool travels(const void* data, MPI_Count count) const;
  // All of them, or the first `bytes`.
  void pack(const void* data, MPI_Count count, char* to) const;
  void unpack(const char* from, std::size_t bytes, void* data, MPI_Count count) const;

  // Memory for `count` elements as they lie in a buffer, forwards or, with a negative extent,
  // backwards: so many bytes; where the first byte of the elements of a buffer lies, from its
  // begin; and where a buffer would begin whose elements lie in `memory`. CallError(MPI_ERR_COUNT):
  // as bytes(), or no memory has so many.
  std::size_t span(MPI_Count count) const;
  MPI_Aint first_byte(MPI_Count count) const;
  char* buffer_in(char* memory, MPI_Count count) const { return memory - first_byte(count); }

 private:
  [[noreturn]] std::size_t refuse_count(MPI_Count count) const;

  MPI_Datatype handle_ = MPI_DATATYPE_NULL;
  bool committed_ = true;
  TypeRef type_;
};

// Throws what it says, if that is an error.
void throw_failure(const Failure& failure);

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_TYPES_H_
