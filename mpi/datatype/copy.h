#ifndef ROAM_MPI_DATATYPE_COPY_H_
#define ROAM_MPI_DATATYPE_COPY_H_

#include <emmintrin.h>

#include <cstddef>
#include <cstring>

namespace roam::mpi {

// memcpy without a call where it would cost more than the copy: up to 32 bytes two moves that may
// overlap do it.
inline void copy_any(char* to, const char* from, std::size_t n) {
  const auto ends = [&]<std::size_t N>() {
    char head[N], tail[N];
    std::memcpy(head, from, N);
    std::memcpy(tail, from + n - N, N);
    std::memcpy(to, head, N);
    std::memcpy(to + n - N, tail, N);
  };
  if (n > 32) {
    std::memcpy(to, from, n);
  } else if (n >= 16) {
    ends.operator()<16>();
  } else if (n >= 8) {
    ends.operator()<8>();
  } else if (n >= 4) {
    ends.operator()<4>();
  } else if (n >= 2) {
    ends.operator()<2>();
  } else if (n == 1) {
    *to = *from;
  }
}

// Two blocks of 8 bytes to be neighbours, by one store: fewer of these are made at a time than of
// loads.
inline void gather_two(char* to, const char* first, const char* second) {
  const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(first));
  const __m128i high = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(second));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_unpacklo_epi64(low, high));
}
// And apart again.
inline void scatter_two(char* first, char* second, const char* from) {
  const __m128i both = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(first), both);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(second), _mm_unpackhi_epi64(both, both));
}

// How much a loop copies each time: known when it is compiled, or not.
template <std::size_t N>
struct Size {
  static constexpr std::size_t bytes() { return N; }
  static void copy(char* to, const char* from) { std::memcpy(to, from, N); }
};
struct AnySize {
  std::size_t n;
  std::size_t bytes() const { return n; }
  void copy(char* to, const char* from) const { copy_any(to, from, n); }
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_COPY_H_
