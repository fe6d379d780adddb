#include "mpi/image/place_calls.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <string>
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

// Why virtual rank 0, of this process, could not go there.
std::string& why_not() {
  static std::string& why = *new std::string;
  return why;
}
void note_why_not(const char* why) {
  const iso::HeapScope process;
  why_not() = why;
}

// In a function that MPI has called, other calls know that the process is this one.
bool go_to_input() {
  if (rank() == kRankOfInput) return true;
  if (!Image::running()->may_leave_asleep()) {
    note_why_not("it is in a function that MPI has called, before main or after it");
    return false;
  }
  try {
    this_thread::migrate(kRankOfInput);
    return true;
  } catch (const Error& error) {
    note_why_not(error.what());
    return false;
  }
}

[[noreturn]] void end_for_input(const char* what) {
  {
    const iso::HeapScope process;
    report(text("virtual rank 0 is on rank %d, and the standard input is rank %d's: %s. Have it "
                "read first (roam-mpi --balance=off keeps it where it begins)",
                rank(), kRankOfInput, what)
               .c_str());
  }
  runtime::abort_job(1);
}
void refuse_input() { end_for_input(why_not().c_str()); }

// Who has read there has to come back.
void come_back(int to) {
  constexpr int kTries = 1000;
  for (int i = 0; i < kTries; ++i) {
    try {
      return this_thread::migrate(to);
    } catch (const Error&) {
      this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  end_for_input("what was read there cannot be brought, there is no memory");
}

// A thread goes there, reads into memory of its own, and comes back with it.
ssize_t read_input_there(void* to, std::size_t bytes) {
  constexpr std::size_t kMost = 1 << 20;
  const this_thread::Pin stay;  // the other comes back to here
  ssize_t got = -1;
  int error = ENOMEM;
  const int here = rank();
  try {
    const SpawnOptions options{.name = "standard input", .rank = here};
    spawn(options, [&got, &error, to, here, most = std::min(bytes, kMost)] {
      std::vector<char> room(most);
      this_thread::migrate(kRankOfInput);
      const ssize_t count = ::read(0, room.data(), most);
      const int why = errno;
      come_back(here);
      if (count > 0) std::memcpy(to, room.data(), static_cast<std::size_t>(count));
      got = count;
      error = why;
    }).join();
  } catch (const std::exception&) {  // before anything was read
    got = -1;
  }
  if (got < 0) errno = error;
  return got;
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
  StandardInput::prepare({&go_to_input, &read_input_there, &refuse_input});
  add_launcher_call("AMPI_My_pe", &my_rank);
  add_launcher_call("AMPI_Migrate_to_pe", &move_to);
}

}  // namespace roam::mpi
