#ifndef ROAM_MPI_DATATYPE_ARRAY_PART_H_
#define ROAM_MPI_DATATYPE_ARRAY_PART_H_

#include "mpi/datatype/datatype.h"
#include "mpi/datatype/failure.h"

namespace roam::mpi {

// Some indices of a dimension: `count` blocks of `block`, `apart` from each other, the first at
// `start`; then one of `last`, which is shorter.
struct IndexSet {
  MPI_Count start, count, block, apart, last;
};

// A type that is a part of an array, with the bounds of all of it.
class ArrayPart {
 public:
  ArrayPart(int combiner, const TypeRef& of);

  // The next dimension, from the innermost outwards, and which of its `size` indices are in.
  // Errors: MPI_ERR_ARG: the array ends beyond 64 bits.
  Failure add(MPI_Count size, const IndexSet& in);
  TypeRef finish(Contents contents);

 private:
  // What there is of an index, made what there is of a row of them.
  TypeLayout row(const TypeLayout& index, const IndexSet& in, bool typed) const;

  int combiner_;
  TypeRef of_;
  Bounds bounds_;
  MPI_Count size_;   // packed bytes
  MPI_Aint stride_;  // from one index of the next dimension to the next
  TypeLayout typed_, bytes_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_ARRAY_PART_H_
