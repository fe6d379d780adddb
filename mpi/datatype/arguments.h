#ifndef ROAM_MPI_DATATYPE_ARGUMENTS_H_
#define ROAM_MPI_DATATYPE_ARGUMENTS_H_

#include "base/text.h"
#include "mpi/datatype/constructors.h"

namespace roam::mpi {

// What constructors refuse alike.
inline Failure check_old(const TypeRef& of) {
  if (of) return {};
  return {MPI_ERR_TYPE, "the old datatype is none (MPI_DATATYPE_NULL, or freed)"};
}

inline Failure check_count(MPI_Count count) {
  if (count >= 0) return {};
  return {MPI_ERR_COUNT, text("the count is %ld", static_cast<long>(count))};
}

inline Failure check_blocklength(MPI_Count blocklength) {
  if (blocklength >= 0) return {};
  return {MPI_ERR_COUNT, text("a block length is %ld", static_cast<long>(blocklength))};
}

inline Failure check_array(MPI_Count count, Values array, const char* name) {
  if (count == 0 || !array.null()) return {};
  return {MPI_ERR_ARG, text("the array of %s is null", name)};
}

// `n` displacements in extents, as bytes.
inline Failure in_bytes(MPI_Count n, MPI_Aint extent, MPI_Aint* bytes) {
  if (!__builtin_mul_overflow(n, extent, bytes)) return {};
  return {MPI_ERR_ARG, text("%ld times an extent of %ld bytes is beyond 64 bits",
                            static_cast<long>(n), static_cast<long>(extent))};
}

// Puts numbers where the contents of a plain or a large call have them.
class ContentsOf {
 public:
  ContentsOf(Call call, const TypeRef& of) : large_(call == Call::large) {
    contents_.types.push_back(of);
  }
  ContentsOf(Call call, std::vector<TypeRef> types) : large_(call == Call::large) {
    contents_.types = std::move(types);
  }
  // A count, or such a number as the large call has as one.
  ContentsOf& number(MPI_Count n) {
    if (large_) {
      contents_.counts.push_back(n);
    } else {
      contents_.integers.push_back(static_cast<int>(n));
    }
    return *this;
  }
  ContentsOf& numbers(MPI_Count count, Values values) {
    for (MPI_Count i = 0; i < count; ++i) number(values[i]);
    return *this;
  }
  ContentsOf& address(MPI_Count n) {
    if (large_) return number(n);
    contents_.addresses.push_back(n);
    return *this;
  }
  ContentsOf& addresses(MPI_Count count, Values values) {
    for (MPI_Count i = 0; i < count; ++i) address(values[i]);
    return *this;
  }
  // What is an int in both calls.
  ContentsOf& integer(int n) {
    contents_.integers.push_back(n);
    return *this;
  }
  Contents take() { return std::move(contents_); }

 private:
  bool large_;
  Contents contents_;
};

inline bool is_mixed(const Datatype& type) { return type.size != 0 && type.basic == nullptr; }

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_ARGUMENTS_H_
