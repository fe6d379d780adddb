// Says that each operation on each type gives what MPICH gives.

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "mpi/datatype/operation.h"
#include "mpi/datatype/oracle.h"

namespace roam::mpi {
namespace {

constexpr int kElements = 257;  // no multiple of what fits in a register

// Numbers of few digits, so that no result is rounded or no number; of integers any bytes.
class Operands {
 public:
  explicit Operands(std::uint64_t seed) : random_(seed) {}

  void write(const Basic& b, char* to) {
    switch (b.number) {
      case Number::f32:
      case Number::c32:
        return write_numbers<float>(b, to);
      case Number::f64:
      case Number::c64:
        return write_numbers<double>(b, to);
      case Number::f80:
      case Number::c80:
        return write_numbers<long double>(b, to);
      case Number::flag:
        *to = static_cast<char>(random_() % 2);
        return;
      case Number::logical:
        return put<std::int32_t>(to, static_cast<std::int32_t>(random_() % 3));
      default:
        for (int i = 0; i < b.bytes; ++i) to[i] = static_cast<char>(random_());
    }
  }
  void write(const Datatype& type, char* to) {
    const Pair* pair = find_pair(type.handle);
    if (pair == nullptr) return write(*type.basic, to);
    // Equal values are to be met often.
    write_small(*find_basic(pair->first), to);
    write_small(*find_basic(pair->second), to + pair->second_offset);
  }

 private:
  template <class T>
  static void put(char* to, T value) {
    std::memcpy(to, &value, sizeof value);
  }
  template <class T>
  void write_numbers(const Basic& b, char* to) {
    for (int at = 0; at < b.bytes; at += int{sizeof(T)})
      put<T>(to + at, static_cast<T>(static_cast<int>(random_() % 2001) - 1000) / 8);
  }
  void write_small(const Basic& b, char* to) {
    const int value = static_cast<int>(random_() % 5) - 2;
    switch (b.number) {
      case Number::f32:
        return put<float>(to, static_cast<float>(value));
      case Number::f64:
        return put<double>(to, value);
      case Number::f80:
        return put<long double>(to, value);
      case Number::i16:
        return put<std::int16_t>(to, static_cast<std::int16_t>(value));
      case Number::i64:
        return put<std::int64_t>(to, value);
      default:
        return put<std::int32_t>(to, value);
    }
  }
  std::mt19937_64 random_;
};

// The bytes that are a value: a long double has ten of its sixteen.
std::string values(const Datatype& type, const std::string& bytes) {
  std::string s;
  const auto take = [&](const Basic& b, std::size_t at) {
    const bool is_extended = b.number == Number::f80 || b.number == Number::c80;
    for (std::size_t i = 0; i < static_cast<std::size_t>(b.bytes); ++i) {
      if (!is_extended || i % 16 < 10) s += bytes[at + i];
    }
  };
  const Pair* pair = find_pair(type.handle);
  const auto extent = static_cast<std::size_t>(type.bounds.extent());
  for (std::size_t at = 0; at < bytes.size(); at += extent) {
    if (pair == nullptr) {
      take(*type.basic, at);
    } else {
      take(*find_basic(pair->first), at);
      take(*find_basic(pair->second), at + static_cast<std::size_t>(pair->second_offset));
    }
  }
  return s;
}

TEST(Oracle, OperationsGiveTheSameResults) {
  const std::uint64_t seed = from_environment("ROAM_SEED", 1);
  SCOPED_TRACE("ROAM_SEED=" + std::to_string(seed));
  Operands operands(seed);
  int compared = 0;
  for (const MPI_Datatype handle : predefined_handles()) {
    const TypeRef type = predefined(handle);
    // gfortran's REAL*16 is quadruple precision, which MPICH takes for long double or refuses.
    if (handle == MPI_REAL16 || handle == MPI_COMPLEX32) continue;
    for (MPI_Op op = MPI_MAX; op <= MPI_MAXLOC; ++op) {
      // MPICH 4.0 compares unsigned numbers as if they were signed.
      const bool is_comparison = op == MPI_MAX || op == MPI_MIN;
      const Number number = type->basic == nullptr ? Number::raw : type->basic->number;
      if (is_comparison && number >= Number::u8 && number <= Number::u64) continue;
      // What is refused is not asked of MPICH: at some of it, it ends the program.
      if (check_operation(op, *type)) continue;
      SCOPED_TRACE(std::string(operation_name(op)) + " on " + type->name);
      std::string in(static_cast<std::size_t>(kElements * type->bounds.extent()), '\0');
      std::string ours = in;
      for (int i = 0; i < kElements; ++i) {
        operands.write(*type, &in[static_cast<std::size_t>(i * type->bounds.extent())]);
        operands.write(*type, &ours[static_cast<std::size_t>(i * type->bounds.extent())]);
      }
      std::string theirs = ours;
      ASSERT_FALSE(reduce(op, in.data(), ours.data(), kElements, *type));
      ASSERT_EQ(MPI_Reduce_local(in.data(), theirs.data(), kElements, handle, op), MPI_SUCCESS);
      EXPECT_EQ(first_difference(values(*type, ours), values(*type, theirs)), "");
      ++compared;
    }
  }
  EXPECT_GT(compared, 300);
}

TEST(Oracle, TheSameOperationsCommute) {
  for (MPI_Op op = MPI_MAX; op <= MPI_NO_OP; ++op) {
    int commutes = -1;
    MPI_Op_commutative(op, &commutes);
    EXPECT_EQ(is_commutative(op), commutes != 0) << operation_name(op);
  }
}

}  // namespace
}  // namespace roam::mpi
