#include "mpi/datatype/pack.h"

#include <cstdint>

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
    move(at, [n = static_cast<std::size_t>(bytes)](char* to, const char* from) {
      copy_any(to, from, n);
    });
    stream_ += bytes;
  }

  void runs(MPI_Aint at, MPI_Aint stride, MPI_Count count, MPI_Count bytes, const Basic*) {
    by_size(bytes, [&](auto copy, std::size_t each) {
      char* stream = stream_;
      for (MPI_Count i = 0; i < count; ++i) {
        move_to(stream, at + i * stride, copy);
        stream += each;
      }
      stream_ = stream;
    });
  }

  void pieces(MPI_Aint at, const Node::Piece* p, MPI_Count count, MPI_Count piece_bytes,
              const Basic*) {
    if (piece_bytes == 0) {
      for (MPI_Count i = 0; i < count; ++i)
        run(at + p[i].offset, p[i + 1].before - p[i].before, nullptr);
      return;
    }
    by_size(piece_bytes, [&](auto copy, std::size_t each) {
      char* stream = stream_;
      for (MPI_Count i = 0; i < count; ++i) {
        move_to(stream, at + p[i].offset, copy);
        stream += each;
      }
      stream_ = stream;
    });
  }

 private:
  // Runs a loop that is compiled for the sizes that elements have, and small vectors of them.
  template <class Loop>
  static void by_size(MPI_Count bytes, Loop loop) {
    switch (bytes) {
      case 1:
        return loop(copy_fixed<1>, std::size_t{1});
      case 2:
        return loop(copy_fixed<2>, std::size_t{2});
      case 4:
        return loop(copy_fixed<4>, std::size_t{4});
      case 8:
        return loop(copy_fixed<8>, std::size_t{8});
      case 12:
        return loop(copy_fixed<12>, std::size_t{12});
      case 16:
        return loop(copy_fixed<16>, std::size_t{16});
      case 24:
        return loop(copy_fixed<24>, std::size_t{24});
      case 32:
        return loop(copy_fixed<32>, std::size_t{32});
      default:
        break;
    }
    const auto n = static_cast<std::size_t>(bytes);
    loop([n](char* to, const char* from) { copy_any(to, from, n); }, n);
  }

  template <class Copy>
  void move(MPI_Aint at, Copy copy) {
    move_to(stream_, at, copy);
  }
  template <class Copy>
  void move_to(char* stream, MPI_Aint at, Copy copy) {
    char* const there = reinterpret_cast<char*>(buffer_ + static_cast<std::uintptr_t>(at));
    if constexpr (kPack) {
      copy(stream, there);
    } else {
      copy(there, stream);
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
