#include "mpi/datatype/pack.h"

#include <cstdint>
#include <type_traits>

#include "base/text.h"
#include "mpi/datatype/copy.h"
#include "mpi/datatype/walk.h"

namespace roam::mpi {

namespace {

// Copies between a buffer and a stream; the layout says where in the buffer.
template <bool kPack>
class Mover {
 public:
  // The buffer may be MPI_BOTTOM: addresses are then numbers.
  Mover(std::uintptr_t buffer, char* stream) : buffer_(buffer), stream_(stream) {}

  void run(MPI_Aint at, MPI_Count bytes, const Basic*) {
    const auto n = static_cast<std::size_t>(bytes);
    copy(AnySize{n}, stream_, buffer_ + place(at));
    stream_ += n;
  }

  void runs(MPI_Aint at, MPI_Aint stride, MPI_Count count, MPI_Count bytes, const Basic*) {
    by_size(bytes, [&](auto size) {
      // In variables that no byte can be a part of.
      char* stream = stream_;
      std::uintptr_t there = buffer_ + place(at);
      MPI_Count i = 0;
      if constexpr (std::is_same_v<decltype(size), Size<8>>) {
        for (; i + 4 <= count; i += 4) {
          const std::uintptr_t next = there + 2 * place(stride);
          two(stream, there, there + place(stride));
          two(stream + 16, next, next + place(stride));
          stream += 32;
          there = next + 2 * place(stride);
        }
      }
      for (; i < count; ++i) {
        copy(size, stream, there);
        stream += size.bytes();
        there += place(stride);
      }
      stream_ = stream;
    });
  }

  void blocks(MPI_Aint at, const MPI_Aint* offsets, MPI_Count count, MPI_Count bytes,
              const Basic*) {
    by_size(bytes, [&](auto size) {
      char* stream = stream_;
      const std::uintptr_t origin = buffer_ + place(at);
      MPI_Count i = 0;
      if constexpr (std::is_same_v<decltype(size), Size<8>>) {
        for (; i + 2 <= count; i += 2) {
          two(stream, origin + place(offsets[i]), origin + place(offsets[i + 1]));
          stream += 16;
        }
      }
      for (; i < count; ++i) {
        copy(size, stream, origin + place(offsets[i]));
        stream += size.bytes();
      }
      stream_ = stream;
    });
  }

  void pieces(MPI_Aint at, const Node::Piece* p, MPI_Count count, const Basic*) {
    char* stream = stream_;
    const std::uintptr_t origin = buffer_ + place(at);
    for (MPI_Count i = 0; i < count; ++i) {
      const auto n = static_cast<std::size_t>(p[i + 1].before - p[i].before);
      copy(AnySize{n}, stream, origin + place(p[i].offset));
      stream += n;
    }
    stream_ = stream;
  }

 private:
  // Runs a loop that is compiled for each of the sizes that elements have, and small vectors of
  // them.
  template <class Loop>
  static void by_size(MPI_Count bytes, Loop loop) {
    switch (bytes) {
      case 1:
        return loop(Size<1>());
      case 2:
        return loop(Size<2>());
      case 4:
        return loop(Size<4>());
      case 8:
        return loop(Size<8>());
      case 12:
        return loop(Size<12>());
      case 16:
        return loop(Size<16>());
      case 24:
        return loop(Size<24>());
      case 32:
        return loop(Size<32>());
      default:
        return loop(AnySize{static_cast<std::size_t>(bytes)});
    }
  }

  static std::uintptr_t place(MPI_Aint at) { return static_cast<std::uintptr_t>(at); }

  template <class S>
  static void copy(S size, char* stream, std::uintptr_t there) {
    if constexpr (kPack) {
      size.copy(stream, reinterpret_cast<const char*>(there));
    } else {
      size.copy(reinterpret_cast<char*>(there), stream);
    }
  }

  // Two blocks of 8 bytes.
  static void two(char* stream, std::uintptr_t first, std::uintptr_t second) {
    auto* const a = reinterpret_cast<char*>(first);
    auto* const b = reinterpret_cast<char*>(second);
    if constexpr (kPack) {
      gather_two(stream, a, b);
    } else {
      scatter_two(a, b, stream);
    }
  }

  std::uintptr_t buffer_;
  char* stream_;
};

}  // namespace

Failure packed_bytes(MPI_Count count, const Datatype& type, MPI_Count* bytes) {
  if (count < 0) return {MPI_ERR_COUNT, text("the count is %ld", static_cast<long>(count))};
  if (__builtin_mul_overflow(count, type.size, bytes)) {
    return {MPI_ERR_COUNT, text("%ld times a datatype of %ld bytes is more than 64 bits count",
                                static_cast<long>(count), static_cast<long>(type.size))};
  }
  return {};
}

Failure check_range(MPI_Count count, const Datatype& type, MPI_Count from, MPI_Count bytes) {
  MPI_Count all = 0;
  if (Failure f = packed_bytes(count, type, &all)) return f;
  if (from < 0 || bytes < 0 || from > all || bytes > all - from) {
    return {MPI_ERR_ARG,
            text("%ld bytes from byte %ld are not within the %ld bytes of the data",
                 static_cast<long>(bytes), static_cast<long>(from), static_cast<long>(all))};
  }
  MPI_Aint last = 0, end = 0;
  if (count > 1 && all != 0 &&
      (__builtin_mul_overflow(count - 1, type.bounds.extent(), &last) ||
       __builtin_add_overflow(last, type.bounds.true_lb, &end) ||
       __builtin_add_overflow(last, type.bounds.true_ub, &end))) {
    return {MPI_ERR_ARG, text("%ld datatypes with an extent of %ld bytes reach beyond 64 bits",
                              static_cast<long>(count), static_cast<long>(type.bounds.extent()))};
  }
  return {};
}

Failure pack(const void* buffer, MPI_Count count, const Datatype& type, MPI_Count from,
             MPI_Count bytes, void* out) {
  if (Failure f = check_range(count, type, from, bytes)) return f;
  Mover<true> mover(reinterpret_cast<std::uintptr_t>(buffer), static_cast<char*>(out));
  walk(type.bytes, type.bounds.extent(), count, from, bytes, mover);
  return {};
}

Failure unpack(const void* in, MPI_Count from, MPI_Count bytes, void* buffer, MPI_Count count,
               const Datatype& type) {
  if (Failure f = check_range(count, type, from, bytes)) return f;
  Mover<false> mover(reinterpret_cast<std::uintptr_t>(buffer),
                     const_cast<char*>(static_cast<const char*>(in)));
  walk(type.bytes, type.bounds.extent(), count, from, bytes, mover);
  return {};
}

}  // namespace roam::mpi
