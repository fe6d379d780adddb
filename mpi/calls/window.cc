#include "mpi/calls/window.h"

#include <utility>

namespace roam::mpi {

void Fetch::finish() {
  if (std::exchange(unpacked, true)) return;
  if (error == MPI_SUCCESS) type.unpack(staged.data(), staged.size(), data, count);
  staged.clear();
  pin.reset();
}

char* Window::place(MPI_Aint displacement, MPI_Aint offset, std::size_t bytes) const {
  const auto count = static_cast<__int128>(bytes);
  if (flavor == MPI_WIN_FLAVOR_DYNAMIC) {
    // They may go over from one region to the next.
    const auto first = static_cast<__int128>(displacement) + offset, end = first + count;
    for (__int128 at = first; at < end;) {
      const __int128 before = at;
      for (const Region& region : attached) {
        const auto begin = static_cast<__int128>(reinterpret_cast<MPI_Aint>(region.begin));
        if (at >= begin && at < begin + region.bytes) at = begin + region.bytes;
      }
      if (at == before) return nullptr;
    }
    return reinterpret_cast<char*>(static_cast<MPI_Aint>(first));
  }
  const __int128 at = static_cast<__int128>(displacement) * unit + offset;
  if (at < 0 || at + count > size) return nullptr;
  return static_cast<char*>(base) + static_cast<std::ptrdiff_t>(at);
}

}  // namespace roam::mpi
