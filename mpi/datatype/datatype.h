#ifndef ROAM_MPI_DATATYPE_DATATYPE_H_
#define ROAM_MPI_DATATYPE_DATATYPE_H_

#include <vector>

#include "mpi/datatype/abi.h"
#include "mpi/datatype/basic.h"
#include "mpi/datatype/layout.h"
#include "mpi/datatype/ref.h"

namespace roam::mpi {

struct Datatype;
using TypeRef = Ref<Datatype>;

// What a constructor was given, as MPI_Type_get_contents gives it back. Numbers that came through a
// `_c` call are in `counts`.
struct Contents {
  std::vector<int> integers;
  std::vector<MPI_Aint> addresses;
  std::vector<MPI_Count> counts;
  std::vector<TypeRef> types;
};

// Where a datatype begins and ends, in bytes from its origin.
struct Bounds {
  MPI_Aint lb = 0, ub = 0;            // what follows its like in a buffer begins ub - lb further
  MPI_Aint true_lb = 0, true_ub = 0;  // where its bytes are
  MPI_Aint extent() const { return ub - lb; }
  MPI_Aint true_extent() const { return true_ub - true_lb; }
};

// A datatype, which never changes. It lies in the heap of the virtual rank that made it and refers
// to what lies there too, or to the program's constants, so it migrates as it is. Names, attributes
// and whether it is committed are the caller's.
struct Datatype {
  Holders holders;
  int combiner = MPI_COMBINER_NAMED;
  MPI_Datatype handle = MPI_DATATYPE_NULL;  // of a predefined one
  const char* name = "";                    // of a predefined one
  Bounds bounds;
  MPI_Count size = 0;      // bytes, packed
  MPI_Aint alignment = 1;  // by which a struct with it is padded
  // Its basic type if it is of one only, and the predefined type of which it is a repetition, which
  // may be a pair. Null if there is none.
  const Basic* basic = nullptr;
  const Datatype* unit = nullptr;
  TypeLayout bytes;  // in nodes of bytes, or the same as `typed` if there is one basic type
  TypeLayout typed;
  Contents contents;

  // True for predefined types: MPI_Type_get_contents and MPI_Type_free refuse these.
  bool named() const { return combiner == MPI_COMBINER_NAMED; }
};

// Frees the type, and what only it holds, however long the chain of types is.
void free_unheld(const Datatype* type);

// The predefined type with this handle, the same one in each process; null if there is none, for
// MPI_DATATYPE_NULL and handles of derived types.
TypeRef predefined(MPI_Datatype handle);

// Whether `count` of `type` are bytes in a row: then they lie at `*offset` from the buffer, and
// nothing has to be packed. No bytes at all are in a row.
// REQUIRES: count >= 0 and count * size < 2^63.
inline bool contiguous(MPI_Count count, const Datatype& type, MPI_Aint* offset, MPI_Count* bytes) {
  *bytes = count * type.size;
  *offset = type.bytes.offset;
  if (*bytes == 0) return true;
  const Node& n = *type.bytes.node;
  return n.kind == Node::Kind::run && (count == 1 || n.bytes == type.bounds.extent());
}

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_DATATYPE_H_
