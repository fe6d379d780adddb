#ifndef ROAM_MPI_DATATYPE_OPERATION_LOOPS_H_
#define ROAM_MPI_DATATYPE_OPERATION_LOOPS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "mpi/datatype/abi.h"

namespace roam::mpi {

// A copy of a T wherever it lies: also in a window that is not aligned, in memory of any type.
template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T, class Op>
void apply(const void* in, void* inout, MPI_Count count) {
  const auto* __restrict from = static_cast<const char*>(in);
  auto* __restrict to = static_cast<char*>(inout);
  for (MPI_Count i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i) * sizeof(T);
    const T result = Op::of(load<T>(from + at), load<T>(to + at));
    std::memcpy(to + at, &result, sizeof result);
  }
}

template <class T>
inline constexpr bool kIsInteger = std::is_integral_v<T>;

// Of integers what is beyond their range is cut off, with no undefined behaviour.
struct Sum {
  template <class T>
  static T of(T in, T inout) {
    if constexpr (kIsInteger<T>) {
      return static_cast<T>(static_cast<std::uint64_t>(inout) + static_cast<std::uint64_t>(in));
    } else {
      return inout + in;
    }
  }
};
struct Product {
  template <class T>
  static T of(T in, T inout) {
    if constexpr (kIsInteger<T>) {
      return static_cast<T>(static_cast<std::uint64_t>(inout) * static_cast<std::uint64_t>(in));
    } else {
      return inout * in;
    }
  }
};
// Where one is no number, what is in `in`, as in MPICH.
struct Max {
  template <class T>
  static T of(T in, T inout) {
    return inout > in ? inout : in;
  }
};
struct Min {
  template <class T>
  static T of(T in, T inout) {
    return inout < in ? inout : in;
  }
};
struct LogicalAnd {
  template <class T>
  static T of(T in, T inout) {
    return in != 0 && inout != 0 ? 1 : 0;
  }
};
struct LogicalOr {
  template <class T>
  static T of(T in, T inout) {
    return in != 0 || inout != 0 ? 1 : 0;
  }
};
struct LogicalXor {
  template <class T>
  static T of(T in, T inout) {
    return (in != 0) != (inout != 0) ? 1 : 0;
  }
};
struct BitAnd {
  template <class T>
  static T of(T in, T inout) {
    return static_cast<T>(in & inout);
  }
};
struct BitOr {
  template <class T>
  static T of(T in, T inout) {
    return static_cast<T>(in | inout);
  }
};
struct BitXor {
  template <class T>
  static T of(T in, T inout) {
    return static_cast<T>(in ^ inout);
  }
};

// A complex number as C, C++ and Fortran have it.
template <class T>
struct Complex {
  T re, im;
};
template <class T>
Complex<T> operator+(Complex<T> a, Complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

// A value and where it is. Gaps are not touched.
template <class V, class L>
struct Located {
  V value;
  L place;
};

template <class V, class L, class Better>
void locate(const void* in, void* inout, MPI_Count count) {
  using Pair = Located<V, L>;
  constexpr std::size_t kPlace = offsetof(Pair, place);
  const auto* from = static_cast<const char*>(in);
  auto* to = static_cast<char*>(inout);
  for (MPI_Count i = 0; i < count; ++i) {
    const V a = load<V>(from), b = load<V>(to);
    const bool nearer = a == b && load<L>(from + kPlace) < load<L>(to + kPlace);
    if (Better::replaces(a, b)) std::memcpy(to, from, sizeof a);
    if (Better::replaces(a, b) || nearer) std::memcpy(to + kPlace, from + kPlace, sizeof(L));
    from += sizeof(Pair);
    to += sizeof(Pair);
  }
}
struct Greater {
  template <class V>
  static bool replaces(V in, V inout) {
    return in > inout;
  }
};
struct Less {
  template <class V>
  static bool replaces(V in, V inout) {
    return in < inout;
  }
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_OPERATION_LOOPS_H_
