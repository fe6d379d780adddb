#ifndef ROAM_MPI_DATATYPE_TWIN_H_
#define ROAM_MPI_DATATYPE_TWIN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "mpi/datatype/constructors.h"
#include "mpi/datatype/datatype.h"

namespace roam::mpi {

// For tests: the same datatype as we make it and as MPICH in this process does, which MPI_Init has
// started.
struct Twin {
  TypeRef ours;
  MPI_Datatype theirs;
};

// Makes random datatypes twice, the same ones for the same seed. MPICH's are freed with it.
class TwinMaker {
 public:
  explicit TwinMaker(std::uint64_t seed) : random_(seed) {}
  TwinMaker(const TwinMaker&) = delete;
  TwinMaker& operator=(const TwinMaker&) = delete;
  ~TwinMaker();

  // A committed one, of at most `depth` constructors one above the other.
  Twin make(int depth);
  // A number of [low, high].
  int number(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

 private:
  Twin predefined_one();
  Twin contiguous_like(int depth);
  Twin vector_like(int depth);
  Twin indexed_like(int depth);
  Twin indexed_block_like(int depth);
  Twin structure(int depth);
  Twin subarray(int depth);
  Twin darray(int depth);
  std::vector<int> numbers(int count, int low, int high);
  std::vector<int> array_sizes(int count, int most);
  Twin keep(const TypeRef& ours, MPI_Datatype theirs);

  std::mt19937_64 random_;
  std::vector<MPI_Datatype> made_;
};

// How a type was made, for people.
std::string describe(const Datatype& type);

// Whether `type`, or one that it is made of, is such a one.
bool contains(const Datatype& type, const std::function<bool(const Datatype&)>& is);

// Handles of all predefined types that have bytes, and that MPICH knows well.
std::vector<MPI_Datatype> predefined_handles();

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_TWIN_H_
