#ifndef ROAM_MPI_DATATYPE_PIECES_H_
#define ROAM_MPI_DATATYPE_PIECES_H_

#include "mpi/datatype/pack.h"
#include "mpi/datatype/walk.h"

namespace roam::mpi {

// Calls visit(MPI_Aint offset, MPI_Count bytes) for the bytes [from, from + bytes) of the stream,
// in its order; what follows each other in the buffer too is one piece. Offsets count from the
// buffer.
// Errors: those of pack().
template <class Visit>
Failure for_each_piece(MPI_Count count, const Datatype& type, MPI_Count from, MPI_Count bytes,
                       Visit visit) {
  struct Join {
    Visit& visit;
    MPI_Aint begin = 0;
    MPI_Count bytes = 0;

    void run(MPI_Aint at, MPI_Count more, const Basic*) {
      if (bytes != 0 && begin + bytes == at) {
        bytes += more;
        return;
      }
      end();
      begin = at;
      bytes = more;
    }
    void runs(MPI_Aint at, MPI_Aint stride, MPI_Count n, MPI_Count each, const Basic* b) {
      for (MPI_Count i = 0; i < n; ++i) run(at + i * stride, each, b);
    }
    void blocks(MPI_Aint at, const MPI_Aint* offsets, MPI_Count n, MPI_Count each, const Basic* b) {
      for (MPI_Count i = 0; i < n; ++i) run(at + offsets[i], each, b);
    }
    void pieces(MPI_Aint at, const Node::Piece* p, MPI_Count n, const Basic* b) {
      for (MPI_Count i = 0; i < n; ++i) run(at + p[i].offset, p[i + 1].before - p[i].before, b);
    }
    void end() {
      if (bytes != 0) visit(begin, bytes);
    }
  };
  if (Failure f = check_range(count, type, from, bytes)) return f;
  Join join{visit};
  walk(type.bytes, type.bounds.extent(), count, from, bytes, join);
  join.end();
  return {};
}

// Calls visit(MPI_Aint offset, MPI_Count n) for the repetitions of type.unit that `count` of `type`
// consist of, `n` of them in a row as in an array: what an operation is applied to.
// Errors: those of pack(), and MPI_ERR_TYPE: the type is not of one predefined type only.
template <class Visit>
Failure for_each_unit(MPI_Count count, const Datatype& type, Visit visit) {
  MPI_Count all = 0;
  if (Failure f = packed_bytes(count, type, &all)) return f;
  if (all == 0) return {};
  if (type.unit == nullptr)
    return {MPI_ERR_TYPE, "the datatype is made of more than one predefined type"};
  const MPI_Count each = type.unit->size;
  if (type.unit->bounds.extent() == each) {
    return for_each_piece(count, type, 0, all,
                          [&](MPI_Aint at, MPI_Count bytes) { visit(at, bytes / each); });
  }
  // A pair with a gap: it begins where a multiple of its bytes has been passed.
  MPI_Count passed = 0;
  return for_each_piece(count, type, 0, all, [&](MPI_Aint at, MPI_Count bytes) {
    for (MPI_Count i = (each - passed % each) % each; i < bytes; i += each) visit(at + i, 1);
    passed += bytes;
  });
}

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_PIECES_H_
