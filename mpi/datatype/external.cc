#include "mpi/datatype/external.h"

#include <cstdint>
#include <cstring>

#include "base/text.h"
#include "mpi/datatype/pack.h"
#include "mpi/datatype/walk.h"

namespace roam::mpi {

namespace {

// IEEE quadruple precision, of which the compilers' own library has the arithmetic.
using Quad = __float128;

void reverse(const char* from, char* to, int bytes) {
  for (int i = 0; i < bytes; ++i) to[i] = from[bytes - 1 - i];
}

// An element is one number, or two.
int numbers_of(const Basic& b) { return b.family == Family::complex ? 2 : 1; }

void number_out(const Basic& b, const char* from, char* to, int bytes, int external) {
  if (b.number == Number::f80 || b.number == Number::c80) {
    long double value;
    std::memcpy(&value, from, sizeof value);
    const Quad quad = value;
    reverse(reinterpret_cast<const char*>(&quad), to, sizeof quad);
    return;
  }
  // This machine has the lower bytes first.
  (void)bytes;
  reverse(from, to, external);
}

void number_in(const Basic& b, const char* from, char* to, int bytes, int external) {
  if (b.number == Number::f80 || b.number == Number::c80) {
    Quad quad;
    reverse(from, reinterpret_cast<char*>(&quad), sizeof quad);
    const auto value = static_cast<long double>(quad);
    std::memcpy(to, &value, 10);  // its bytes that mean something
    return;
  }
  reverse(from, to, external);
  const bool negative =
      b.number == Number::i64 && (static_cast<unsigned char>(from[0]) & 0x80) != 0;
  if (bytes > external)
    std::memset(to + external, negative ? 0xff : 0, static_cast<std::size_t>(bytes - external));
}

// Of the stream `left` bytes are there.
template <bool kPack>
class Converter {
 public:
  Converter(std::uintptr_t buffer, char* stream, MPI_Count left)
      : buffer_(buffer), stream_(stream), left_(left) {}
  MPI_Count done() const { return done_; }

  // Only whole types are walked through, so runs are of whole elements.
  void run(MPI_Aint at, MPI_Count bytes, const Basic* b) {
    const int numbers = numbers_of(*b), here = b->bytes / numbers,
              there = b->external_bytes / numbers;
    for (MPI_Count done = 0; done < bytes; done += here) {
      if (left_ < there) {
        left_ = 0;  // what comes after it is not whole either
        return;
      }
      char* const mine = reinterpret_cast<char*>(buffer_ + static_cast<std::uintptr_t>(at + done));
      if constexpr (kPack) {
        number_out(*b, mine, stream_, here, there);
      } else {
        number_in(*b, stream_, mine, here, there);
      }
      stream_ += there;
      left_ -= there;
      done_ += here;
    }
  }
  void runs(MPI_Aint at, MPI_Aint stride, MPI_Count count, MPI_Count bytes, const Basic* b) {
    for (MPI_Count i = 0; i < count; ++i) run(at + i * stride, bytes, b);
  }
  void blocks(MPI_Aint at, const MPI_Aint* offsets, MPI_Count count, MPI_Count bytes,
              const Basic* b) {
    for (MPI_Count i = 0; i < count; ++i) run(at + offsets[i], bytes, b);
  }
  void pieces(MPI_Aint at, const Node::Piece* p, MPI_Count count, const Basic* b) {
    for (MPI_Count i = 0; i < count; ++i) run(at + p[i].offset, p[i + 1].before - p[i].before, b);
  }

 private:
  std::uintptr_t buffer_;
  char* stream_;
  MPI_Count left_, done_ = 0;
};

// Whether all of the data has room between *position and the end.
Failure check_room(const char* representation, MPI_Count count, const Datatype& type,
                   MPI_Count room, MPI_Count position, MPI_Count* bytes) {
  if (Failure f = external_bytes(representation, count, type, bytes)) return f;
  if (Failure f = check_range(count, type, 0, 0)) return f;
  if (position < 0 || position > room) {
    return {MPI_ERR_ARG, text("position %ld is not in a buffer of %ld bytes",
                              static_cast<long>(position), static_cast<long>(room))};
  }
  if (*bytes > room - position) {
    return {MPI_ERR_TRUNCATE, text("the data is %ld bytes, and a buffer of %ld has %ld from its "
                                   "position on",
                                   static_cast<long>(*bytes), static_cast<long>(room),
                                   static_cast<long>(room - position))};
  }
  return {};
}

// The bytes of the packed stream that were converted.
template <bool kPack>
MPI_Count convert(const void* buffer, MPI_Count count, const Datatype& type, const void* stream,
                  MPI_Count left) {
  Converter<kPack> converter(reinterpret_cast<std::uintptr_t>(buffer),
                             const_cast<char*>(static_cast<const char*>(stream)), left);
  walk(type.typed, type.bounds.extent(), count, 0, count * type.size, converter);
  return converter.done();
}

}  // namespace

Failure external_bytes(const char* representation, MPI_Count count, const Datatype& type,
                       MPI_Count* bytes) {
  if (std::strcmp(representation, "external32") != 0) {
    return {
        MPI_ERR_UNSUPPORTED_DATAREP,
        text("the data representation is \"%s\"; there is \"external32\" only", representation)};
  }
  MPI_Count here = 0;
  if (Failure f = packed_bytes(count, type, &here)) return f;
  *bytes = type.size == 0 ? 0 : count * type.typed.node->external;
  return {};
}

Failure pack_external(const char* representation, const void* buffer, MPI_Count count,
                      const Datatype& type, void* out, MPI_Count out_bytes, MPI_Count* position) {
  MPI_Count bytes = 0;
  if (Failure f = check_room(representation, count, type, out_bytes, *position, &bytes)) return f;
  convert<true>(buffer, count, type, static_cast<char*>(out) + *position, bytes);
  *position += bytes;
  return {};
}

Failure unpack_external(const char* representation, const void* in, MPI_Count in_bytes,
                        MPI_Count* position, void* buffer, MPI_Count count, const Datatype& type) {
  MPI_Count bytes = 0;
  if (Failure f = check_room(representation, count, type, in_bytes, *position, &bytes)) return f;
  convert<false>(buffer, count, type, static_cast<const char*>(in) + *position, bytes);
  *position += bytes;
  return {};
}

Failure unpack_external_front(const void* in, MPI_Count in_bytes, void* buffer, MPI_Count count,
                              const Datatype& type, MPI_Count* bytes) {
  if (Failure f = check_range(count, type, 0, 0)) return f;
  *bytes = convert<false>(buffer, count, type, in, in_bytes);
  return {};
}

}  // namespace roam::mpi
