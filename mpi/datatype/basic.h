#ifndef ROAM_MPI_DATATYPE_BASIC_H_
#define ROAM_MPI_DATATYPE_BASIC_H_

#include <cstdint>

#include "mpi/datatype/abi.h"

namespace roam::mpi {

// How one element lies in memory, on x86-64.
enum class Number : std::uint8_t {
  i8,
  i16,
  i32,
  i64,
  u8,
  u16,
  u32,
  u64,
  f16,
  f32,
  f64,
  f80,   // long double: 10 bytes of 16
  f128,  // Fortran's REAL*16, which gfortran has as IEEE quadruple precision
  c32,   // complex of two f32, and so on
  c64,
  c80,
  c128,
  flag,     // C's and C++'s bool
  logical,  // Fortran's LOGICAL: an i32 that is 0 or not
  raw,      // a byte that means nothing
  marker,   // no byte at all: MPI_LB, MPI_UB
};

// The groups of types by which the standard allows operations (MPI 3.1, 5.9.2). `other`: none but
// MPI_REPLACE and MPI_NO_OP.
enum class Family : std::uint8_t { integer, floating, complex, logical, byte, other };

// A predefined type of one element.
struct Basic {
  MPI_Datatype handle;
  const char* name;
  Number number;
  Family family;
  std::int8_t bytes;
  std::int8_t alignment;       // by which MPICH pads a struct with it
  std::int8_t external_bytes;  // in "external32" (MPI 3.1, table 13.2)
};

// A predefined type of two elements; the second lies behind the first at its own alignment.
struct Pair {
  MPI_Datatype handle;
  const char* name;
  MPI_Datatype first, second;
  std::int8_t second_offset;
  std::int8_t extent;
  std::int8_t alignment;
};

// The basic type with this handle; null if there is none.
const Basic* find_basic(MPI_Datatype handle);
// The pair with this handle; null if there is none.
const Pair* find_pair(MPI_Datatype handle);

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_BASIC_H_
