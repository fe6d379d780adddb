#include "mpi/calls/types.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"
#include "mpi/calls/call_error.h"
#include "mpi/calls/virtual_rank.h"
#include "mpi/datatype/pack.h"
#include "mpi/image/image.h"
#include "runtime/api/member_messages.h"

namespace roam::mpi {

void throw_failure(const Failure& failure) {
  if (failure) throw CallError(failure.error_class, failure.text);
}

Type::Type(VirtualRank& me, MPI_Datatype handle) : handle_(handle), type_(predefined(handle)) {
  if (type_) return;
  const DerivedType* derived = me.types.find(handle);
  if (derived == nullptr) {
    throw CallError(MPI_ERR_TYPE, handle == MPI_DATATYPE_NULL
                                      ? std::string("the datatype is MPI_DATATYPE_NULL")
                                      : text("0x%08x is no datatype, or was freed",
                                             static_cast<unsigned>(handle)));
  }
  type_ = derived->type;
  committed_ = derived->committed;
}

void Type::check_committed() const {
  if (committed_) return;
  throw CallError(
      MPI_ERR_TYPE,
      text("the datatype 0x%08x is not committed: MPI_Type_commit comes before data goes",
           static_cast<unsigned>(handle_)));
}

bool Type::is_nowhere(const void* data, MPI_Count count, MPI_Aint offset) const {
  constexpr MPI_Aint kFirstPage = 4096;  // that nobody has
  return data == nullptr && bytes(count) != 0 && offset + type_->bounds.true_lb < kFirstPage;
}

void Type::check_buffer(const void* data, MPI_Count count, MPI_Aint offset) const {
  if (count == 0) return;
  check_committed();
  if (is_nowhere(data, count, offset)) {
    throw CallError(MPI_ERR_BUFFER, text("the buffer of %lld elements is a null pointer",
                                         static_cast<long long>(count)));
  }
  if (data == MPI_IN_PLACE)
    throw CallError(MPI_ERR_BUFFER, "MPI_IN_PLACE is given where it is no buffer");
}

std::size_t Type::refuse_count(MPI_Count count) const {
  MPI_Count bytes = 0;
  throw_failure(packed_bytes(count, *type_, &bytes));
  __builtin_unreachable();
}

char* Type::in_a_row(const void* data, MPI_Count count) const {
  MPI_Aint offset = 0;
  MPI_Count bytes = 0;
  if (!contiguous(count, *type_, &offset, &bytes)) return nullptr;
  return static_cast<char*>(const_cast<void*>(data)) + offset;
}

char* Type::readable_in_a_row(const void* data, MPI_Count count) const {
  char* row = in_a_row(data, count);
  return row != nullptr && Image::running()->is_of_file(row) ? nullptr : row;
}

char* Type::writable_in_a_row(void* data, MPI_Count count) const {
  char* row = in_a_row(data, count);
  return row != nullptr && !runtime::travels(row) ? nullptr : row;
}

// The addresses that go along are in one range, the arena.
bool Type::travels(const void* data, MPI_Count count) const {
  const std::size_t bytes = span(count);
  if (bytes == 0) return true;
  const char* first = static_cast<const char*>(data) + first_byte(count);
  return runtime::travels(first) && runtime::travels(first + bytes - 1);
}

void Type::pack(const void* data, MPI_Count count, char* to) const {
  throw_failure(mpi::pack(data, count, *type_, 0, static_cast<MPI_Count>(bytes(count)), to));
}

void Type::unpack(const char* from, std::size_t bytes, void* data, MPI_Count count) const {
  throw_failure(mpi::unpack(from, 0, static_cast<MPI_Count>(bytes), data, count, *type_));
}

std::size_t Type::span(MPI_Count count) const {
  if (bytes(count) == 0) return 0;
  const __int128 all_but_one = static_cast<__int128>(count - 1) * extent();
  const __int128 span =
      (all_but_one < 0 ? -all_but_one : all_but_one) + type_->bounds.true_extent();
  if (span > PTRDIFF_MAX) {
    throw CallError(MPI_ERR_COUNT,
                    text("%lld elements of extent %lld are in no memory",
                         static_cast<long long>(count), static_cast<long long>(extent())));
  }
  return static_cast<std::size_t>(span);
}

MPI_Aint Type::first_byte(MPI_Count count) const {
  if (span(count) == 0) return 0;
  return type_->bounds.true_lb + std::min<MPI_Aint>(0, (count - 1) * extent());
}

}  // namespace roam::mpi
