#ifndef ROAM_MPI_DATATYPE_ORACLE_H_
#define ROAM_MPI_DATATYPE_ORACLE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "mpi/datatype/twin.h"

namespace roam::mpi {

// For tests that compare with MPICH, and what of it can be compared. oracle_main.cc starts MPI as a
// job of one process, without mpiexec.
//
//   ROAM_SEED=N    the first seed, ROAM_TYPES=N how many; each type has the next one

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// Runs `check(maker, twin)` for many seeds, until one fails.
template <class Check>
void for_many(Check check) {
  const std::uint64_t first = from_environment("ROAM_SEED", 1);
  const std::uint64_t types = from_environment("ROAM_TYPES", 4000);
  for (std::uint64_t seed = first; seed < first + types; ++seed) {
    SCOPED_TRACE("ROAM_SEED=" + std::to_string(seed) + " ROAM_TYPES=1");
    TwinMaker maker(seed);
    const Twin twin = maker.make(maker.number(1, 4));
    SCOPED_TRACE(describe(*twin.ours));
    check(maker, twin);
    if (testing::Test::HasFailure()) return;
  }
}

// Memory that has room for `count` of a type around its origin.
struct Buffer {
  Buffer(const Datatype& type, MPI_Count count) {
    const MPI_Aint rest = (count - 1) * type.bounds.extent();
    low = std::min<MPI_Aint>({0, type.bounds.true_lb, type.bounds.true_lb + rest});
    const MPI_Aint high = std::max<MPI_Aint>({0, type.bounds.true_ub, type.bounds.true_ub + rest});
    bytes.resize(static_cast<std::size_t>(high - low) + 16);
  }
  char* origin() { return bytes.data() - low; }
  void fill(TwinMaker& maker) {
    for (char& b : bytes) b = static_cast<char>(maker.number(0, 255));
  }
  MPI_Aint low;
  std::string bytes;
};

// MPICH copies these as numbers: a random one is not what it was, and six bytes are left out.
inline bool has_long_double(const Datatype& type) {
  return contains(type, [](const Datatype& t) {
    return t.named() && t.bounds.true_extent() >= 16 && t.handle != MPI_DOUBLE_COMPLEX &&
           t.handle != MPI_C_DOUBLE_COMPLEX && t.handle != MPI_CXX_DOUBLE_COMPLEX &&
           t.handle != MPI_COMPLEX16 && t.handle != MPI_2DOUBLE_PRECISION;
  });
}

// MPICH's packing has another extent than its MPI_Type_get_extent for what is made of these.
inline bool has_negative_extent(const Datatype& type) {
  return contains(type, [](const Datatype& t) { return t.bounds.extent() < 0; });
}

// MPICH pads no struct whose types are one to its packing, as MPI_INT and MPI_INTEGER are; ours
// have to be the same.
inline bool has_kin_in_struct(const Datatype& type) {
  return contains(type, [](const Datatype& t) {
    if (t.combiner != MPI_COMBINER_STRUCT) return false;
    const Datatype* first = nullptr;
    bool has_kin = false;
    for (const TypeRef& of : t.contents.types) {
      if (of->handle == MPI_LB || of->handle == MPI_UB || of.get() == first) continue;
      if (first != nullptr && of->size != first->size) return false;
      has_kin = first != nullptr;
      first = of.get();
    }
    return has_kin;
  });
}

// What packed bytes can be compared of. A few MiB are enough.
inline bool is_comparable(const Datatype& type) {
  return !has_kin_in_struct(type) && !has_negative_extent(type) && !has_long_double(type) &&
         type.size < 1 << 20 && std::abs(type.bounds.extent()) < 1 << 20 &&
         type.bounds.true_extent() < 1 << 20;
}

// Where two strings of bytes differ, and at how many places; empty if nowhere.
inline std::string first_difference(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return "lengths differ";
  std::size_t first = a.size(), n = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    if (a[i] == b[i]) continue;
    first = i;
    ++n;
  }
  if (n == 0) return "";
  return std::to_string(n) + " of " + std::to_string(a.size()) + " bytes, the first at " +
         std::to_string(first);
}

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_ORACLE_H_
