#include "mpi/image/place_calls.h"

#include "mpi/image/process_symbols.h"
#include "roam/roam.h"

namespace roam::mpi {
namespace {

int when_refused = 1;

int my_rank(int* to) {
  *to = rank();
  return 0;
}
int move_to(int to) { return go_to(to) ? 0 : when_refused; }

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
  add_launcher_call("AMPI_My_pe", &my_rank);
  add_launcher_call("AMPI_Migrate_to_pe", &move_to);
}

}  // namespace roam::mpi
