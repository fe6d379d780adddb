#ifndef ROAM_RUNTIME_BALANCE_TABLE_FILE_H_
#define ROAM_RUNTIME_BALANCE_TABLE_FILE_H_

#include <iosfwd>
#include <string>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// A load table as text, to be recorded in one run and looked at in another (bench/balance_sim
// --file=). A line a thing, words separated by blanks, `#` begins a comment line; numbers as
// std::to_chars writes them, so that they come back as they were. Two threads on two nodes:
//
//   roam-load-table 1
//   # steps move_s_per_byte move_between_s move_in_node_s comm_s_per_byte comm_s_per_message
//   costs 10 5e-10 5e-06 7e-07 3e-10 3e-07
//   ranks 2
//   # speed node memory_bytes used_bytes
//   1 0 0 0
//   1 1 1048576 4096
//   threads 2
//   # load_s bytes rank
//   0.25 8192 0
//   0.5 8192 0
//   edges 1
//   # from to bytes messages; `from` never falls
//   0 1 640 2
//   end
//
// The number behind the name is the version. A later one may add lines behind the edges; fields are
// never renumbered. Version 2, which is written where threads cannot move, says which:
//
//   fixed 1
//   # thread
//   1
//   end
//
// Version 3, which is written where threads share memory, says behind that which blocks there are
// and who shares them:
//
//   blocks 1
//   # bytes
//   1600000
//   sharers 2
//   # thread block
//   0 0
//   1 0
//   end
void write_table(std::ostream& out, const LoadTable& table);

// Reads what write_table wrote. `name` is that of the file, for messages.
//
// Errors: Errc::corrupt_image  says NAME:LINE, what is wrong there and what was expected.
LoadTable read_table(std::istream& in, const std::string& name);

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_TABLE_FILE_H_
