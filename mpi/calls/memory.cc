#include "mpi/calls/memory.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "mpi/calls/call_error.h"

namespace roam::mpi {

std::size_t alignment_in(const Info& info) {
  const std::string* text = info.find(kAlignmentKey);
  if (text == nullptr) return 0;
  const char* const end = text->data() + text->size();
  std::size_t bytes = 0;
  const auto read = std::from_chars(text->data(), end, bytes);
  return read.ec == std::errc() && read.ptr == end && std::has_single_bit(bytes) ? bytes : 0;
}

void* memory_for(MPI_Aint bytes, const Info& info) {
  const std::size_t alignment = std::max(alignment_in(info), alignof(std::max_align_t));
  void* block = nullptr;
  if (posix_memalign(&block, alignment, bytes == 0 ? 1 : static_cast<std::size_t>(bytes)) != 0) {
    throw CallError(MPI_ERR_NO_MEM, text("there is no memory for %ld bytes, aligned to %zu",
                                         static_cast<long>(bytes), alignment));
  }
  return block;
}

}  // namespace roam::mpi
