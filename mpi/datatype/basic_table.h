#ifndef ROAM_MPI_DATATYPE_BASIC_TABLE_H_
#define ROAM_MPI_DATATYPE_BASIC_TABLE_H_

#include "mpi/datatype/basic.h"

namespace roam::mpi {

// Names are those that MPI_Type_get_name of MPICH gives. MPICH takes characters for integers, so
// programs do; Fortran's LOGICAL is that of gfortran. Alignments of 1 are MPICH's: it knows no C
// type for these. MPI_LONG has 4 bytes in "external32", whose table was made for such machines.
inline constexpr Basic kBasic[] = {
    {MPI_CHAR, "MPI_CHAR", Number::i8, Family::integer, 1, 1, 1},
    {MPI_SIGNED_CHAR, "MPI_SIGNED_CHAR", Number::i8, Family::integer, 1, 1, 1},
    {MPI_UNSIGNED_CHAR, "MPI_UNSIGNED_CHAR", Number::u8, Family::integer, 1, 1, 1},
    {MPI_BYTE, "MPI_BYTE", Number::raw, Family::byte, 1, 1, 1},
    {MPI_WCHAR, "MPI_WCHAR", Number::i32, Family::other, 4, 4, 2},
    {MPI_SHORT, "MPI_SHORT", Number::i16, Family::integer, 2, 2, 2},
    {MPI_UNSIGNED_SHORT, "MPI_UNSIGNED_SHORT", Number::u16, Family::integer, 2, 2, 2},
    {MPI_INT, "MPI_INT", Number::i32, Family::integer, 4, 4, 4},
    {MPI_UNSIGNED, "MPI_UNSIGNED", Number::u32, Family::integer, 4, 4, 4},
    {MPI_LONG, "MPI_LONG", Number::i64, Family::integer, 8, 8, 4},
    {MPI_UNSIGNED_LONG, "MPI_UNSIGNED_LONG", Number::u64, Family::integer, 8, 8, 4},
    {MPI_FLOAT, "MPI_FLOAT", Number::f32, Family::floating, 4, 4, 4},
    {MPI_DOUBLE, "MPI_DOUBLE", Number::f64, Family::floating, 8, 8, 8},
    {MPI_LONG_DOUBLE, "MPI_LONG_DOUBLE", Number::f80, Family::floating, 16, 16, 16},
    {MPI_LONG_LONG_INT, "MPI_LONG_LONG_INT", Number::i64, Family::integer, 8, 8, 8},
    {MPI_UNSIGNED_LONG_LONG, "MPI_UNSIGNED_LONG_LONG", Number::u64, Family::integer, 8, 8, 8},
    {MPI_PACKED, "MPI_PACKED", Number::raw, Family::other, 1, 1, 1},
    {MPI_LB, "MPI_LB", Number::marker, Family::other, 0, 1, 0},
    {MPI_UB, "MPI_UB", Number::marker, Family::other, 0, 1, 0},
    {MPI_COMPLEX, "MPI_COMPLEX", Number::c32, Family::complex, 8, 4, 8},
    {MPI_DOUBLE_COMPLEX, "MPI_DOUBLE_COMPLEX", Number::c64, Family::complex, 16, 8, 16},
    {MPI_LOGICAL, "MPI_LOGICAL", Number::logical, Family::logical, 4, 4, 4},
    {MPI_REAL, "MPI_REAL", Number::f32, Family::floating, 4, 4, 4},
    {MPI_DOUBLE_PRECISION, "MPI_DOUBLE_PRECISION", Number::f64, Family::floating, 8, 8, 8},
    {MPI_INTEGER, "MPI_INTEGER", Number::i32, Family::integer, 4, 4, 4},
    {MPI_CHARACTER, "MPI_CHARACTER", Number::i8, Family::integer, 1, 1, 1},
    {MPI_REAL4, "MPI_REAL4", Number::f32, Family::floating, 4, 4, 4},
    {MPI_REAL8, "MPI_REAL8", Number::f64, Family::floating, 8, 8, 8},
    {MPI_REAL16, "MPI_REAL16", Number::f128, Family::floating, 16, 1, 16},
    {MPI_COMPLEX8, "MPI_COMPLEX8", Number::c32, Family::complex, 8, 4, 8},
    {MPI_COMPLEX16, "MPI_COMPLEX16", Number::c64, Family::complex, 16, 8, 16},
    {MPI_COMPLEX32, "MPI_COMPLEX32", Number::c128, Family::complex, 32, 1, 32},
    {MPI_INTEGER1, "MPI_INTEGER1", Number::i8, Family::integer, 1, 1, 1},
    {MPI_INTEGER2, "MPI_INTEGER2", Number::i16, Family::integer, 2, 2, 2},
    {MPI_INTEGER4, "MPI_INTEGER4", Number::i32, Family::integer, 4, 4, 4},
    {MPI_INTEGER8, "MPI_INTEGER8", Number::i64, Family::integer, 8, 8, 8},
    {MPI_INT8_T, "MPI_INT8_T", Number::i8, Family::integer, 1, 1, 1},
    {MPI_INT16_T, "MPI_INT16_T", Number::i16, Family::integer, 2, 2, 2},
    {MPI_INT32_T, "MPI_INT32_T", Number::i32, Family::integer, 4, 4, 4},
    {MPI_INT64_T, "MPI_INT64_T", Number::i64, Family::integer, 8, 8, 8},
    {MPI_UINT8_T, "MPI_UINT8_T", Number::u8, Family::integer, 1, 1, 1},
    {MPI_UINT16_T, "MPI_UINT16_T", Number::u16, Family::integer, 2, 2, 2},
    {MPI_UINT32_T, "MPI_UINT32_T", Number::u32, Family::integer, 4, 4, 4},
    {MPI_UINT64_T, "MPI_UINT64_T", Number::u64, Family::integer, 8, 8, 8},
    {MPI_C_BOOL, "MPI_C_BOOL", Number::flag, Family::logical, 1, 1, 1},
    {MPI_C_FLOAT_COMPLEX, "MPI_C_COMPLEX", Number::c32, Family::complex, 8, 4, 8},
    {MPI_C_DOUBLE_COMPLEX, "MPI_C_DOUBLE_COMPLEX", Number::c64, Family::complex, 16, 8, 16},
    {MPI_C_LONG_DOUBLE_COMPLEX, "MPI_C_LONG_DOUBLE_COMPLEX", Number::c80, Family::complex, 32, 16,
     32},
    {MPI_AINT, "MPI_AINT", Number::i64, Family::integer, 8, 8, 8},
    {MPI_OFFSET, "MPI_OFFSET", Number::i64, Family::integer, 8, 8, 8},
    {MPI_COUNT, "MPI_COUNT", Number::i64, Family::integer, 8, 8, 8},
    {MPI_CXX_BOOL, "MPI_CXX_BOOL", Number::flag, Family::logical, 1, 1, 1},
    {MPI_CXX_FLOAT_COMPLEX, "MPI_CXX_FLOAT_COMPLEX", Number::c32, Family::complex, 8, 4, 8},
    {MPI_CXX_DOUBLE_COMPLEX, "MPI_CXX_DOUBLE_COMPLEX", Number::c64, Family::complex, 16, 8, 16},
    {MPI_CXX_LONG_DOUBLE_COMPLEX, "MPI_CXX_LONG_DOUBLE_COMPLEX", Number::c80, Family::complex, 32,
     16, 32},
    {MPIX_C_FLOAT16, "MPIX_C_FLOAT16", Number::f16, Family::other, 2, 1, 2},
};

inline constexpr Pair kPair[] = {
    {MPI_FLOAT_INT, "MPI_FLOAT_INT", MPI_FLOAT, MPI_INT, 4, 8, 4},
    {MPI_DOUBLE_INT, "MPI_DOUBLE_INT", MPI_DOUBLE, MPI_INT, 8, 16, 8},
    {MPI_LONG_INT, "MPI_LONG_INT", MPI_LONG, MPI_INT, 8, 16, 8},
    {MPI_SHORT_INT, "MPI_SHORT_INT", MPI_SHORT, MPI_INT, 4, 8, 4},
    {MPI_LONG_DOUBLE_INT, "MPI_LONG_DOUBLE_INT", MPI_LONG_DOUBLE, MPI_INT, 16, 32, 16},
    {MPI_2INT, "MPI_2INT", MPI_INT, MPI_INT, 4, 8, 4},
    {MPI_2INTEGER, "MPI_2INTEGER", MPI_INTEGER, MPI_INTEGER, 4, 8, 4},
    {MPI_2REAL, "MPI_2REAL", MPI_REAL, MPI_REAL, 4, 8, 4},
    {MPI_2DOUBLE_PRECISION, "MPI_2DOUBLE_PRECISION", MPI_DOUBLE_PRECISION, MPI_DOUBLE_PRECISION, 8,
     16, 8},
};

inline constexpr int kBasics = sizeof kBasic / sizeof kBasic[0];
inline constexpr int kPairs = sizeof kPair / sizeof kPair[0];

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_BASIC_TABLE_H_
