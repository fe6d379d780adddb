#ifndef ROAM_MPI_CALLS_FILE_VIEW_H_
#define ROAM_MPI_CALLS_FILE_VIEW_H_

#include <mpi.h>

#include <string>

#include "mpi/calls/types.h"
#include "mpi/datatype/pieces.h"

namespace roam::mpi {

// Which bytes of a file a virtual rank sees, as a stream: those of `filetype`, again and again from
// `displacement` on, an extent further each time. That may be before the end of the one before, as
// of columns of a matrix: then places do not grow with offsets, and what lies at two of them is
// seen twice, and has when it is written what is later in the stream. Offsets that programs give
// count elementary types.
struct FileView {
  enum class Representation : std::uint8_t { kNative, kExternal };

  MPI_Offset displacement = 0;
  Type etype, filetype;  // as the program gave them
  std::string representation_name = "native";
  Representation representation = Representation::kNative;
  // As they lie in the file.
  TypeRef etype_there, filetype_there;

  // CallError: the types or the representation are not for a view; `is_written`: of a file to which
  // something can be written, so no byte is seen twice.
  static FileView make(MPI_Offset displacement, Type etype, Type filetype,
                       const char* representation, bool is_written);

  MPI_Count etype_bytes() const { return etype_there->size; }
  // Bytes of the stream that `count` of a type in memory are. CallError(MPI_ERR_COUNT).
  MPI_Count stream_bytes(const Type& type, MPI_Count count) const;
  // Those before the elementary type `offset`. CallError(MPI_ERR_ARG): beyond 64 bits.
  MPI_Count stream_begin(MPI_Offset offset) const;
  // Where in the file the byte `at` of the stream is; the displacement, if it has none. CallError.
  MPI_Offset place_of(MPI_Count at) const;
  // What is later in the stream lies behind in the file.
  bool places_grow() const;
  // A range of the file in which the stream's bytes [from, from + bytes) are.
  // REQUIRES: bytes > 0. CallError.
  struct Span {
    MPI_Offset begin, end;
  };
  Span span_of(MPI_Count from, MPI_Count bytes) const;
  // The first elementary type that does not begin before byte `size` of the file.
  MPI_Offset end_of(MPI_Offset size) const;

  // Calls visit(MPI_Offset place, MPI_Count bytes) for the stream's bytes [from, from + bytes);
  // what follows each other in the file is one. CallError.
  template <class Visit>
  void for_each_piece(MPI_Count from, MPI_Count bytes, Visit visit) const {
    if (bytes == 0) return;
    const Tiles t = tiles(from, bytes);
    throw_failure(mpi::for_each_piece(t.count, *filetype_there, t.from, bytes,
                                      [&](MPI_Aint at, MPI_Count n) { visit(t.begin + at, n); }));
  }

 private:
  struct Tiles {
    MPI_Offset begin;  // of the first, in the file
    MPI_Count count;
    MPI_Count from;  // byte of the first at which it begins
  };
  Tiles tiles(MPI_Count from, MPI_Count bytes) const;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_FILE_VIEW_H_
