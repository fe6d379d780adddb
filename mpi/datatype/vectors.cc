// Constructors of one row of equal blocks, and those that change bounds only.
#include "mpi/datatype/arguments.h"
#include "mpi/datatype/constructors.h"
#include "mpi/datatype/type_maker.h"

namespace roam::mpi {

namespace {

Failure make_row(int combiner, MPI_Count count, MPI_Count blocklength, MPI_Aint stride,
                 const Datatype& of, Contents contents, TypeRef* made) {
  TypeMaker maker(combiner, is_mixed(of));
  if (of.size != 0) {
    if (Failure f = maker.add(0, count, stride, blocklength, of)) return f;
  }
  *made = maker.finish(std::move(contents));
  return {};
}

Failure check_row(MPI_Count count, MPI_Count blocklength, const TypeRef& of) {
  if (Failure f = check_count(count)) return f;
  if (Failure f = check_blocklength(blocklength)) return f;
  return check_old(of);
}

}  // namespace

Failure make_contiguous(Call call, MPI_Count count, const TypeRef& of, TypeRef* made) {
  if (Failure f = check_row(count, 1, of)) return f;
  return make_row(MPI_COMBINER_CONTIGUOUS, 1, count, 0, *of,
                  ContentsOf(call, of).number(count).take(), made);
}

Failure make_vector(Call call, MPI_Count count, MPI_Count blocklength, MPI_Count stride,
                    const TypeRef& of, TypeRef* made) {
  if (Failure f = check_row(count, blocklength, of)) return f;
  MPI_Aint bytes = 0;
  if (Failure f = in_bytes(stride, of->bounds.extent(), &bytes)) return f;
  return make_row(MPI_COMBINER_VECTOR, count, blocklength, bytes, *of,
                  ContentsOf(call, of).number(count).number(blocklength).number(stride).take(),
                  made);
}

Failure make_hvector(Call call, MPI_Count count, MPI_Count blocklength, MPI_Count stride,
                     const TypeRef& of, TypeRef* made) {
  if (Failure f = check_row(count, blocklength, of)) return f;
  return make_row(MPI_COMBINER_HVECTOR, count, blocklength, stride, *of,
                  ContentsOf(call, of).number(count).number(blocklength).address(stride).take(),
                  made);
}

Failure make_resized(Call call, const TypeRef& of, MPI_Count lb, MPI_Count extent, TypeRef* made) {
  if (Failure f = check_old(of)) return f;
  Bounds bounds = of->bounds;
  bounds.lb = lb;
  if (__builtin_add_overflow(lb, extent, &bounds.ub)) {
    return {MPI_ERR_ARG, text("a lower bound of %ld and an extent of %ld end beyond 64 bits",
                              static_cast<long>(lb), static_cast<long>(extent))};
  }
  *made = with_bounds(MPI_COMBINER_RESIZED, of, bounds,
                      ContentsOf(call, of).address(lb).address(extent).take());
  return {};
}

Failure make_dup(const TypeRef& of, TypeRef* made) {
  if (Failure f = check_old(of)) return f;
  *made = with_bounds(MPI_COMBINER_DUP, of, of->bounds, ContentsOf(Call::plain, of).take());
  return {};
}

}  // namespace roam::mpi
