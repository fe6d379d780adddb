#include "mpi/image/place_calls.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/image/image.h"
#include "mpi/image/process_symbols.h"
#include "mpi/image/standard_input.h"
#include "roam/roam.h"
#include "runtime/api/abort.h"

namespace roam::mpi {
namespace {

int when_refused = 1;

int my_rank(int* to) {
  *to = rank();
  return 0;
}
int move_to(int to) { return go_to(to) ? 0 : when_refused; }

// ---- the standard input, which the launcher of MPI gives to the first rank ----

constexpr int kRankOfInput = 0;

// In a function that MPI has called, other calls know that the process is this one.
bool go_to_input() {
  if (rank() == kRankOfInput) return true;
  return Image::running()->may_leave_asleep() && go_to(kRankOfInput);
}

// A thread goes there, reads into memory of its own, and comes back with it.
ssize_t read_input_there(void* to, std::size_t bytes) {
  constexpr std::size_t kMost = 1 << 20;
  ssize_t got = -1;
  int error = EIO;
  const int here = rank();
  const SpawnOptions options{.name = "standard input", .rank = here};
  spawn(options, [&got, &error, to, here, most = std::min(bytes, kMost)] {
    std::vector<char> room(most);
    this_thread::migrate(kRankOfInput);
    const ssize_t count = ::read(0, room.data(), most);
    const int why = errno;
    this_thread::migrate(here);
    if (count > 0) std::memcpy(to, room.data(), static_cast<std::size_t>(count));
    got = count;
    error = why;
  }).join();
  if (got < 0) errno = error;
  return got;
}

void refuse_input() {
  {
    const iso::HeapScope process;
    report(text("a virtual rank reads the standard input, which is rank %d's, on rank %d, which it "
                "cannot leave now: it has files or descriptors open, or is in a function that MPI "
                "has called. Have the program read first (roam-mpi --balance=off keeps it where it "
                "began), or close what it has open",
                kRankOfInput, rank())
               .c_str());
  }
  runtime::abort_job(1);
}

}  // namespace

bool go_to(int to) {
  try {
    this_thread::migrate(to);
    return true;
  } catch (const Error&) {
    return false;
  }
}

void add_place_calls(int refused) {
  when_refused = refused;
  StandardInput::set_ways({&go_to_input, &read_input_there, &refuse_input});
  add_launcher_call("AMPI_My_pe", &my_rank);
  add_launcher_call("AMPI_Migrate_to_pe", &move_to);
}

}  // namespace roam::mpi
