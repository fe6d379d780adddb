#ifndef ROAM_MPI_CALLS_REDUCTION_H_
#define ROAM_MPI_CALLS_REDUCTION_H_

#include <mpi.h>

#include <cstddef>
#include <memory>

#include "mpi/calls/schedule.h"
#include "mpi/calls/types.h"
#include "mpi/calls/virtual_rank.h"
#include "mpi/datatype/operation.h"

namespace roam::mpi {

// An operation that combines elements of one datatype: of the standard, or the program's.
class Reduction {
 public:
  // CallError(MPI_ERR_OP): it is no operation, or has no meaning for elements of that type.
  Reduction(VirtualRank& me, MPI_Op handle, const Type& type);

  // Of any type, and commutative.
  using Own = void (*)(const void* from, void* into, std::size_t count);
  explicit Reduction(Own own) : own_(own) {}

  // into[i] = from[i] op into[i], of elements as they lie in a buffer, from their first byte on;
  // `from` are those of lower ranks.
  void combine(const void* from, void* into, MPI_Count count) const;
  // Memory of the schedule for elements that take so many bytes from the first one to the last,
  // with room around them: functions of the program may write whole structs, of which an element
  // has a part only.
  char* room_for(Schedule* s, std::size_t bytes) const;
  bool commutes() const { return user_.commutes; }
  // What the standard's operations do; null: it is none of them.
  OperationLoop loop() const { return loop_; }

 private:
  Type type_;
  Own own_ = nullptr;
  OperationLoop loop_ = nullptr;
  UserOp user_;
  std::shared_ptr<void> number_;  // of a datatype that it is given
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_REDUCTION_H_
