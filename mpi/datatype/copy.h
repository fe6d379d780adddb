#ifndef ROAM_MPI_DATATYPE_COPY_H_
#define ROAM_MPI_DATATYPE_COPY_H_

#include <cstddef>
#include <cstring>

namespace roam::mpi {

// memcpy of N bytes, as a few loads and stores.
template <std::size_t N>
inline void copy_fixed(char* to, const char* from) {
  std::memcpy(to, from, N);
}

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

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_COPY_H_
