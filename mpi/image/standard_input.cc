#include "mpi/image/standard_input.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/check.h"
#include "isomalloc/heap.h"

namespace roam::mpi {
namespace {

StandardInput::Ways ways;

constexpr char kEmpty[] = "/dev/null";

}  // namespace

void StandardInput::set_ways(const Ways& w) { ways = w; }

bool StandardInput::reach() const {
  if (has_it_ && ways.go_there != nullptr && !ways.go_there()) ways.give_up();
  return has_it_;
}

ssize_t StandardInput::read(void* to, std::size_t bytes) const {
  if (!has_it_) return 0;
  if (ways.go_there != nullptr && !ways.go_there()) return ways.read_there(to, bytes);
  return ::read(0, to, bytes);
}

int StandardInput::own_descriptor() const {
  if (reach()) return 0;
  static const int empty = ::open(kEmpty, O_RDWR | O_CLOEXEC);
  ROAM_CHECK(empty >= 0, "/dev/null cannot be opened for a virtual rank that reads");
  return empty;
}

FILE* StandardInput::own_stream() const {
  if (reach()) return stdin;
  const iso::HeapScope process;
  static FILE* const empty = std::fopen(kEmpty, "re");
  ROAM_CHECK(empty != nullptr, "/dev/null cannot be opened for a virtual rank that reads");
  return empty;
}

}  // namespace roam::mpi
