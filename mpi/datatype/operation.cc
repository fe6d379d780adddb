#include "mpi/datatype/operation.h"

#include <cstdint>
#include <cstring>

#include "base/text.h"
#include "mpi/datatype/basic.h"
#include "mpi/datatype/operation_loops.h"

namespace roam::mpi {

namespace {

const char* const kNames[] = {"MPI_MAX",    "MPI_MIN",    "MPI_SUM",     "MPI_PROD", "MPI_LAND",
                              "MPI_BAND",   "MPI_LOR",    "MPI_BOR",     "MPI_LXOR", "MPI_BXOR",
                              "MPI_MINLOC", "MPI_MAXLOC", "MPI_REPLACE", "MPI_NO_OP"};

template <class T>
OperationLoop sum_loop(MPI_Op op) {
  if (op == MPI_SUM) return apply<T, Sum>;
  if (op == MPI_PROD) return apply<T, Product>;
  return nullptr;
}

template <class T>
OperationLoop real_loop(MPI_Op op) {
  if (op == MPI_MAX) return apply<T, Max>;
  if (op == MPI_MIN) return apply<T, Min>;
  return sum_loop<T>(op);
}

template <class T>
OperationLoop logical_loop(MPI_Op op) {
  if (op == MPI_LAND) return apply<T, LogicalAnd>;
  if (op == MPI_LOR) return apply<T, LogicalOr>;
  if (op == MPI_LXOR) return apply<T, LogicalXor>;
  return nullptr;
}

template <class T>
OperationLoop bit_loop(MPI_Op op) {
  if (op == MPI_BAND) return apply<T, BitAnd>;
  if (op == MPI_BOR) return apply<T, BitOr>;
  if (op == MPI_BXOR) return apply<T, BitXor>;
  return nullptr;
}

template <class T>
OperationLoop integer_loop(MPI_Op op) {
  if (const OperationLoop loop = logical_loop<T>(op)) return loop;
  if (const OperationLoop loop = bit_loop<T>(op)) return loop;
  return real_loop<T>(op);
}

template <class V, class L>
OperationLoop place_loop(MPI_Op op) {
  if (op == MPI_MAXLOC) return locate<V, L, Greater>;
  if (op == MPI_MINLOC) return locate<V, L, Less>;
  return nullptr;
}

OperationLoop basic_loop(MPI_Op op, const Basic& b) {
  if (b.family == Family::other) return nullptr;
  switch (b.number) {
    case Number::i8:
      return integer_loop<std::int8_t>(op);
    case Number::i16:
      return integer_loop<std::int16_t>(op);
    case Number::i32:
      return integer_loop<std::int32_t>(op);
    case Number::i64:
      return integer_loop<std::int64_t>(op);
    case Number::u8:
      return integer_loop<std::uint8_t>(op);
    case Number::u16:
      return integer_loop<std::uint16_t>(op);
    case Number::u32:
      return integer_loop<std::uint32_t>(op);
    case Number::u64:
      return integer_loop<std::uint64_t>(op);
    case Number::f32:
      return real_loop<float>(op);
    case Number::f64:
      return real_loop<double>(op);
    case Number::f80:
      return real_loop<long double>(op);
    case Number::f128:
      return real_loop<__float128>(op);
    case Number::c32:
      return sum_loop<Complex<float>>(op);
    case Number::c64:
      return sum_loop<Complex<double>>(op);
    case Number::c80:
      return sum_loop<Complex<long double>>(op);
    case Number::c128:
      return sum_loop<Complex<__float128>>(op);
    // A bool that came from elsewhere may be any byte.
    case Number::flag:
      return logical_loop<std::uint8_t>(op);
    case Number::logical:
      return logical_loop<std::int32_t>(op);
    case Number::raw:
      return bit_loop<std::uint8_t>(op);
    case Number::f16:
    case Number::marker:
      break;
  }
  return nullptr;
}

OperationLoop pair_loop(MPI_Op op, MPI_Datatype handle) {
  switch (handle) {
    case MPI_FLOAT_INT:
      return place_loop<float, int>(op);
    case MPI_DOUBLE_INT:
      return place_loop<double, int>(op);
    case MPI_LONG_INT:
      return place_loop<long, int>(op);
    case MPI_SHORT_INT:
      return place_loop<short, int>(op);
    case MPI_LONG_DOUBLE_INT:
      return place_loop<long double, int>(op);
    case MPI_2INT:
    case MPI_2INTEGER:
      return place_loop<int, int>(op);
    case MPI_2REAL:
      return place_loop<float, float>(op);
    case MPI_2DOUBLE_PRECISION:
      return place_loop<double, double>(op);
    default:
      return nullptr;
  }
}

// The predefined type whose elements an operation takes; null if there is none.
const Datatype* operand(const Datatype& type) {
  switch (type.combiner) {
    case MPI_COMBINER_NAMED:
    case MPI_COMBINER_F90_REAL:
    case MPI_COMBINER_F90_COMPLEX:
    case MPI_COMBINER_F90_INTEGER:
      return type.unit;
    default:
      return nullptr;
  }
}

OperationLoop find_loop(MPI_Op op, const Datatype& unit) {
  if (unit.size == 0) return nullptr;
  if (unit.typed.node->elements == 2) return pair_loop(op, unit.handle);
  return basic_loop(op, *unit.basic);
}

// MPI_REPLACE, which leaves the gap of a pair alone.
void replace(const void* in, void* inout, MPI_Count count, const Datatype& unit) {
  const auto* from = static_cast<const char*>(in);
  auto* to = static_cast<char*>(inout);
  const Pair* pair = find_pair(unit.handle);
  if (pair == nullptr) {
    std::memmove(to, from, static_cast<std::size_t>(count * unit.size));
    return;
  }
  const auto first = static_cast<std::size_t>(find_basic(pair->first)->bytes);
  const auto second = static_cast<std::size_t>(find_basic(pair->second)->bytes);
  for (MPI_Count i = 0; i < count; ++i) {
    const MPI_Aint at = i * pair->extent;
    std::memmove(to + at, from + at, first);
    std::memmove(to + at + pair->second_offset, from + at + pair->second_offset, second);
  }
}

}  // namespace

OperationLoop operation_loop(MPI_Op op, const Datatype& type) {
  const Datatype* unit = operand(type);
  return unit == nullptr ? nullptr : find_loop(op, *unit);
}

const char* operation_name(MPI_Op op) {
  return op < MPI_MAX || op > MPI_NO_OP ? nullptr : kNames[op - MPI_MAX];
}

Failure check_operation(MPI_Op op, const Datatype& type) {
  const char* name = operation_name(op);
  if (name == nullptr)
    return {MPI_ERR_OP, text("0x%08x is no predefined operation", static_cast<unsigned>(op))};
  const Datatype* unit = operand(type);
  if (unit == nullptr)
    return {MPI_ERR_OP, text("%s is for predefined datatypes, not for a derived one", name)};
  const bool allowed = is_for_accumulate(op) ? unit->size != 0 : find_loop(op, *unit) != nullptr;
  if (!allowed) return {MPI_ERR_OP, text("%s is not for %s", name, unit->name)};
  return {};
}

Failure reduce(MPI_Op op, const void* in, void* inout, MPI_Count count, const Datatype& type) {
  if (Failure f = check_operation(op, type)) return f;
  if (count < 0) return {MPI_ERR_COUNT, text("the count is %ld", static_cast<long>(count))};
  const Datatype& unit = *operand(type);
  if (op == MPI_REPLACE) {
    replace(in, inout, count, unit);
  } else if (op != MPI_NO_OP) {
    find_loop(op, unit)(in, inout, count);
  }
  return {};
}

}  // namespace roam::mpi
