#ifndef ROAM_MPI_DATATYPE_TYPE_MAKER_H_
#define ROAM_MPI_DATATYPE_TYPE_MAKER_H_

#include <optional>
#include <utility>

#include "mpi/datatype/datatype.h"
#include "mpi/datatype/failure.h"

namespace roam::mpi {

// Makes a derived type of blocks, appended in the order of packing. Bounds and padding are those of
// MPICH (README.md); every number is checked to fit 64 bits.
class TypeMaker {
 public:
  // `mixed`: the blocks are not all of one and the same basic type.
  TypeMaker(int combiner, bool mixed);

  // `count` blocks, `stride` bytes apart, the first at `displacement`; each is `blocklength` of
  // `of`, extent by extent. Nothing, not even bounds, comes of no blocks or empty ones.
  Failure add(MPI_Aint displacement, MPI_Count count, MPI_Aint stride, MPI_Count blocklength,
              const Datatype& of);
  // Ends a struct. Of blocks without a byte nothing is left. Else, if it `is_padded`, its extent is
  // made a multiple of the strictest alignment, as a C compiler does.
  Failure end_struct(bool is_padded);
  Failure resize(MPI_Aint lb, MPI_Aint extent);
  const Bounds& bounds() const { return type_.bounds; }

  TypeRef finish(Contents contents);

 private:
  struct Block {
    const Node* node = nullptr;  // what is repeated
    MPI_Aint offset = 0;
    MPI_Count blocklength = 0;
    MPI_Aint extent = 0;
    TypeLayout layout;
  };
  static const TypeLayout& block_of(const TypeLayout& layout, MPI_Count blocklength,
                                    MPI_Aint extent, Block* last);

  Datatype type_;
  bool first_ = true;  // no block came so far
  bool no_bytes_ = true;
  LayoutBuilder typed_{true};
  std::optional<LayoutBuilder> bytes_;  // if mixed
  // Equal blocks share a layout, by which rows of them are known for loops.
  Block last_typed_, last_bytes_;
};

// The type that is `of` with other bounds: MPI_Type_create_resized and MPI_Type_dup.
TypeRef with_bounds(int combiner, const TypeRef& of, const Bounds& bounds, Contents contents);

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_TYPE_MAKER_H_
