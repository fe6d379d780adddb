#include "mpi/datatype/external_type.h"

#include <cstddef>
#include <vector>

#include "mpi/datatype/constructors.h"
#include "mpi/datatype/external.h"

namespace roam::mpi {
namespace {

// What a constructor was given, in the order in which ContentsOf (arguments.h) has put it there.
class Given {
 public:
  explicit Given(const Contents& contents) : c_(contents) {}
  Call call() const { return c_.counts.empty() ? Call::plain : Call::large; }
  MPI_Count number() { return call() == Call::large ? c_.counts[count_++] : integer(); }
  int integer() { return c_.integers[integer_++]; }
  MPI_Count address() {
    return call() == Call::large ? c_.counts[count_++] : c_.addresses[address_++];
  }
  std::vector<MPI_Count> numbers(MPI_Count n) {
    std::vector<MPI_Count> all;
    for (MPI_Count i = 0; i < n; ++i) all.push_back(number());
    return all;
  }
  std::vector<MPI_Count> addresses(MPI_Count n) {
    std::vector<MPI_Count> all;
    for (MPI_Count i = 0; i < n; ++i) all.push_back(address());
    return all;
  }
  std::vector<int> integers(int n) {
    std::vector<int> all;
    for (int i = 0; i < n; ++i) all.push_back(integer());
    return all;
  }

 private:
  const Contents& c_;
  std::size_t integer_ = 0, count_ = 0, address_ = 0;
};

Failure make_again(const Datatype& type, const std::vector<TypeRef>& of, TypeRef* made) {
  Given given(type.contents);
  const Call call = given.call();
  switch (type.combiner) {
    case MPI_COMBINER_DUP:
      *made = of[0];
      return {};
    case MPI_COMBINER_CONTIGUOUS:
      return make_contiguous(call, given.number(), of[0], made);
    case MPI_COMBINER_VECTOR: {
      const auto n = given.numbers(3);
      return make_vector(call, n[0], n[1], n[2], of[0], made);
    }
    case MPI_COMBINER_HVECTOR: {
      const auto n = given.numbers(2);
      return make_hvector(call, n[0], n[1], given.address(), of[0], made);
    }
    case MPI_COMBINER_INDEXED: {
      const MPI_Count count = given.number();
      const auto lengths = given.numbers(count), at = given.numbers(count);
      return make_indexed(call, count, lengths.data(), at.data(), of[0], made);
    }
    case MPI_COMBINER_HINDEXED: {
      const MPI_Count count = given.number();
      const auto lengths = given.numbers(count), at = given.addresses(count);
      return make_hindexed(call, count, lengths.data(), at.data(), of[0], made);
    }
    case MPI_COMBINER_INDEXED_BLOCK: {
      const MPI_Count count = given.number(), length = given.number();
      const auto at = given.numbers(count);
      return make_indexed_block(call, count, length, at.data(), of[0], made);
    }
    case MPI_COMBINER_HINDEXED_BLOCK: {
      const MPI_Count count = given.number(), length = given.number();
      const auto at = given.addresses(count);
      return make_hindexed_block(call, count, length, at.data(), of[0], made);
    }
    case MPI_COMBINER_STRUCT: {
      const MPI_Count count = given.number();
      const auto lengths = given.numbers(count), at = given.addresses(count);
      return make_struct(call, count, lengths.data(), at.data(), of, made);
    }
    case MPI_COMBINER_SUBARRAY: {
      const int dimensions = given.integer();
      const auto sizes = given.numbers(dimensions), parts = given.numbers(dimensions),
                 starts = given.numbers(dimensions);
      return make_subarray(call, dimensions, sizes.data(), parts.data(), starts.data(),
                           given.integer(), of[0], made);
    }
    case MPI_COMBINER_DARRAY: {
      const int size = given.integer(), rank = given.integer(), dimensions = given.integer();
      const auto sizes = given.numbers(dimensions);
      const auto distributions = given.integers(dimensions), arguments = given.integers(dimensions),
                 parts = given.integers(dimensions);
      return make_darray(call, size, rank, dimensions, sizes.data(), distributions.data(),
                         arguments.data(), parts.data(), given.integer(), of[0], made);
    }
    case MPI_COMBINER_RESIZED: {
      const MPI_Count lb = given.address(), extent = given.address();
      return make_resized(call, of[0], lb, extent, made);
    }
    default:
      return {MPI_ERR_TYPE, "a datatype made like this has no layout in external32"};
  }
}

}  // namespace

Failure make_external_type(const TypeRef& type, TypeRef* made) {
  MPI_Count bytes = 0;
  if (Failure f = external_bytes("external32", 1, *type, &bytes)) return f;
  // No element grows, so none has shrunk.
  if (bytes == type->size) {
    *made = type;
    return {};
  }
  // Those of Fortran by digits are one element as well.
  if (type->contents.types.empty())
    return make_contiguous(Call::large, bytes, predefined(MPI_BYTE), made);
  std::vector<TypeRef> of;
  for (const TypeRef& t : type->contents.types) {
    TypeRef there;
    if (Failure f = make_external_type(t, &there)) return f;
    of.push_back(there);
  }
  return make_again(*type, of, made);
}

}  // namespace roam::mpi
