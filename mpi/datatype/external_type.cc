#include "mpi/datatype/external_type.h"

#include <cstddef>
#include <map>
#include <vector>

#include "mpi/datatype/constructors.h"

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

// The types of a type, and of those, each once, however deep they are.
class Again {
 public:
  Failure make(const TypeRef& type, TypeRef* made) {
    std::vector<const TypeRef*> todo{&type};
    while (!todo.empty()) {
      const TypeRef& t = *todo.back();
      const std::size_t before = todo.size();
      if (made_.count(t.get()) == 0) {
        for (const TypeRef& of : t->contents.types) {
          if (shrinks(*t) && made_.count(of.get()) == 0) todo.push_back(&of);
        }
        if (todo.size() != before) continue;  // those come first
        if (Failure f = make_one(t, &made_[t.get()])) return f;
      }
      todo.pop_back();
    }
    *made = made_[type.get()];
    return {};
  }

 private:
  static MPI_Count external_bytes_of(const Datatype& type) {
    return type.size == 0 ? 0 : type.typed.node->external;
  }
  // No element grows, so none has shrunk where the sum is the same.
  static bool shrinks(const Datatype& type) { return external_bytes_of(type) != type.size; }
  Failure make_one(const TypeRef& type, TypeRef* made) {
    if (!shrinks(*type)) {
      *made = type;
      return {};
    }
    // Those of Fortran by digits are one element as well.
    if (type->contents.types.empty())
      return make_contiguous(Call::large, external_bytes_of(*type), predefined(MPI_BYTE), made);
    std::vector<TypeRef> of;
    for (const TypeRef& t : type->contents.types) of.push_back(made_[t.get()]);
    return make_again(*type, of, made);
  }

  std::map<const Datatype*, TypeRef> made_;
};

}  // namespace

Failure make_external_type(const TypeRef& type, TypeRef* made) { return Again().make(type, made); }

}  // namespace roam::mpi
