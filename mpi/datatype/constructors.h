#ifndef ROAM_MPI_DATATYPE_CONSTRUCTORS_H_
#define ROAM_MPI_DATATYPE_CONSTRUCTORS_H_

#include <type_traits>
#include <vector>

#include "mpi/datatype/datatype.h"
#include "mpi/datatype/failure.h"

namespace roam::mpi {

// By which of its two calls a type was made. What it was given is the integers and addresses of its
// contents, or of the `_c` call (MPI 4.0) the counts.
enum class Call { plain, large };

// An array of int, or of a 64-bit number, as the caller has it.
class Values {
 public:
  template <class T>
  Values(const T* array) : array_(array), wide_(sizeof(T) == sizeof(MPI_Count)) {
    static_assert(std::is_integral_v<T> && (sizeof(T) == sizeof(int) || sizeof(T) == 8));
  }
  MPI_Count operator[](MPI_Count i) const {
    return wide_ ? static_cast<const MPI_Count*>(array_)[i] : static_cast<const int*>(array_)[i];
  }
  bool null() const { return array_ == nullptr; }

 private:
  const void* array_;
  bool wide_;
};

// Each makes a type, and holds what it is made of. Arguments are those of the standard.
//
// Errors: MPI_ERR_TYPE: a type is null;
//         MPI_ERR_COUNT: a count or block length is negative, or there would be 2^63 bytes;
//         MPI_ERR_ARG: any other value; an address beyond 64 bits. Nothing was made.
// Cost:   O(n) of the arrays, in time and memory.
Failure make_contiguous(Call call, MPI_Count count, const TypeRef& of, TypeRef* made);
Failure make_vector(Call call, MPI_Count count, MPI_Count blocklength, MPI_Count stride,
                    const TypeRef& of, TypeRef* made);
// Strides and displacements of the functions with an h are in bytes.
Failure make_hvector(Call call, MPI_Count count, MPI_Count blocklength, MPI_Count stride,
                     const TypeRef& of, TypeRef* made);
Failure make_indexed(Call call, MPI_Count count, Values blocklengths, Values displacements,
                     const TypeRef& of, TypeRef* made);
Failure make_hindexed(Call call, MPI_Count count, Values blocklengths, Values displacements,
                      const TypeRef& of, TypeRef* made);
Failure make_indexed_block(Call call, MPI_Count count, MPI_Count blocklength, Values displacements,
                           const TypeRef& of, TypeRef* made);
Failure make_hindexed_block(Call call, MPI_Count count, MPI_Count blocklength, Values displacements,
                            const TypeRef& of, TypeRef* made);
// `types` has `count` entries.
Failure make_struct(Call call, MPI_Count count, Values blocklengths, Values displacements,
                    const std::vector<TypeRef>& types, TypeRef* made);
Failure make_subarray(Call call, int dimensions, Values sizes, Values subsizes, Values starts,
                      int order, const TypeRef& of, TypeRef* made);
Failure make_darray(Call call, int size, int rank, int dimensions, Values gsizes,
                    const int* distributions, const int* arguments, const int* psizes, int order,
                    const TypeRef& of, TypeRef* made);
Failure make_resized(Call call, const TypeRef& of, MPI_Count lb, MPI_Count extent, TypeRef* made);
Failure make_dup(const TypeRef& of, TypeRef* made);

// Types of Fortran by decimal digits and exponent range, MPI_UNDEFINED for any. The caller keeps
// them: the same arguments are to give the same handle each time, and nobody frees it.
Failure make_f90_real(int precision, int range, TypeRef* made);
Failure make_f90_complex(int precision, int range, TypeRef* made);
Failure make_f90_integer(int range, TypeRef* made);

// MPI_Type_match_size.
Failure match_size(int type_class, int bytes, MPI_Datatype* handle);

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_CONSTRUCTORS_H_
