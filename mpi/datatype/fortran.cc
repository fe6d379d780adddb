// Types that are asked for by what they can hold.
#include "mpi/datatype/arguments.h"
#include "mpi/datatype/constructors.h"
#include "mpi/datatype/type_maker.h"

namespace roam::mpi {

namespace {

constexpr int kAny = MPI_UNDEFINED;

Contents given(std::vector<int> integers) {
  Contents contents;
  contents.integers = std::move(integers);
  return contents;
}

// Which of two types, of 6 digits and a range of 37 or of 15 and 307, as MPICH has it: gfortran's
// kinds 10 and 16 are not among them.
Failure choose(int precision, int range, MPI_Datatype single, MPI_Datatype two, TypeRef* chosen) {
  const auto below = [](int value, int limit) { return value == kAny || value <= limit; };
  if (precision == kAny && range == kAny)
    return {MPI_ERR_ARG, "neither a precision nor a range is given"};
  if (below(precision, 6) && below(range, 37)) {
    *chosen = predefined(single);
  } else if (below(precision, 15) && below(range, 307)) {
    *chosen = predefined(two);
  } else {
    return {MPI_ERR_ARG, text("no real type of MPI has %d digits and an exponent range of %d",
                              precision, range)};
  }
  return {};
}

}  // namespace

Failure make_f90_real(int precision, int range, TypeRef* made) {
  TypeRef of;
  if (Failure f = choose(precision, range, MPI_REAL, MPI_DOUBLE_PRECISION, &of)) return f;
  *made = with_bounds(MPI_COMBINER_F90_REAL, of, of->bounds, given({precision, range}));
  return {};
}

Failure make_f90_complex(int precision, int range, TypeRef* made) {
  TypeRef of;
  if (Failure f = choose(precision, range, MPI_COMPLEX, MPI_DOUBLE_COMPLEX, &of)) return f;
  *made = with_bounds(MPI_COMBINER_F90_COMPLEX, of, of->bounds, given({precision, range}));
  return {};
}

Failure make_f90_integer(int range, TypeRef* made) {
  const std::pair<int, MPI_Datatype> kinds[] = {
      {2, MPI_INTEGER1}, {4, MPI_INTEGER2}, {9, MPI_INTEGER4}, {18, MPI_INTEGER8}};
  for (const auto& [digits, handle] : kinds) {
    if (range > digits) continue;
    const TypeRef of = predefined(handle);
    *made = with_bounds(MPI_COMBINER_F90_INTEGER, of, of->bounds, given({range}));
    return {};
  }
  return {MPI_ERR_ARG, text("no integer type of MPI has %d digits", range)};
}

Failure match_size(int type_class, int bytes, MPI_Datatype* handle) {
  const auto fail = [&](const char* what) -> Failure {
    return {MPI_ERR_ARG, text("no %s of MPI has %d bytes", what, bytes)};
  };
  switch (type_class) {
    case MPI_TYPECLASS_REAL:
      if (bytes != 4 && bytes != 8 && bytes != 16) return fail("real type");
      *handle = bytes == 4 ? MPI_REAL4 : bytes == 8 ? MPI_REAL8 : MPI_REAL16;
      return {};
    case MPI_TYPECLASS_INTEGER:
      if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) return fail("integer type");
      *handle = bytes == 1   ? MPI_INTEGER1
                : bytes == 2 ? MPI_INTEGER2
                : bytes == 4 ? MPI_INTEGER4
                             : MPI_INTEGER8;
      return {};
    case MPI_TYPECLASS_COMPLEX:
      if (bytes != 8 && bytes != 16 && bytes != 32) return fail("complex type");
      *handle = bytes == 8 ? MPI_COMPLEX8 : bytes == 16 ? MPI_COMPLEX16 : MPI_COMPLEX32;
      return {};
    default:
      return {MPI_ERR_ARG, text("%d is no class of types", type_class)};
  }
}

}  // namespace roam::mpi
