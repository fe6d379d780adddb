#ifndef ROAM_BASE_OPTIONS_H_
#define ROAM_BASE_OPTIONS_H_

#include <cstdint>
#include <string>

#include "base/sanitizers.h"

namespace roam {

// Every option of Roam is an environment variable ROAM_NAME; this is their one list. Read once, at
// start.
struct Options {
  int node_ranks = 0;  // ROAM_NODE_RANKS: ranks a node; 0: all that share memory
  std::uintptr_t arena_base = sanitizers::kArenaBase;  // ROAM_ARENA=BASE,SIZE
  std::size_t arena_bytes = std::size_t{48} << 40;
  int verbose = 0;               // ROAM_VERBOSE
  std::size_t memory_bytes = 0;  // ROAM_MEMORY: most memory of a node's arena; 0: no limit
  std::size_t unreceived_bytes = std::size_t{256}
                                 << 20;  // ROAM_UNRECEIVED: of messages to a member; 0: any
  std::size_t keep_bytes = std::size_t{512}
                           << 20;      // ROAM_KEEP: freed memory a rank keeps for reuse
  std::size_t eager_bytes = 24 << 10;  // ROAM_EAGER: an image up to this goes as one message
  bool reexec = true;                  // ROAM_REEXEC
  int huge = 2;                        // ROAM_HUGE: large blocks of huge pages; 2: as elsewhere
  std::string guards;                  // ROAM_GUARDS: madvise, mprotect or none; empty: the best
  bool single = false;                 // ROAM_SINGLE: alone, whatever the launcher started
  bool share = true;                   // ROAM_SHARE: ranks of a node share the arena
  std::string balance;                 // ROAM_BALANCE: auto, off or a strategy; empty: when asked
  std::string load_model;              // ROAM_LOAD_MODEL
  std::string balance_table;           // ROAM_BALANCE_TABLE: where tables are recorded; empty: not
  std::string trace;                   // ROAM_TRACE: file to write the trace to; empty: none
  std::string checkpoint_dir;          // ROAM_CHECKPOINT: folder; empty: only when asked
  int checkpoint_every_s = 0;          // ... every=SECONDS
  int checkpoint_keep = 2;             // ... keep=NUMBER of checkpoints in a folder
  int checkpoint_full = 10;            // ... full=NUMBER: each so-manieth has all memory
  bool checkpoint_memory = false;      // ... memory=on: those from time to time, by keepers
  int checkpoint_disk = 10;        // ... disk=NUMBER: each so-manieth of them on disk too; 0: none
  int checkpoint_compression = 0;  // ... compress=zstd:LEVEL of files; 0: none
  int checkpoint_wait_s = 10;      // ... wait=SECONDS for what is in the way
  std::string restart_dir;         // ROAM_RESTART: folder of checkpoints to go on from
  bool restart_of_others = false;  // ... of=others: whoever they belong to
  std::string record;              // ROAM_RECORD: file for how the job ended; empty: none
  std::string keeper;              // ROAM_KEEPER: the program; empty: beside the other tools
  int progress_s = 0;              // ROAM_PROGRESS: seconds from line to line; 0: none
  int stopped_s = 10;              // ROAM_STOPPED: a rank that waits so long; 0: not told of
  bool check_pointers = false;     // ROAM_CHECK=pointers
  std::uint64_t seed = 0;          // ROAM_SHUFFLE: seed that shuffles the ready queue; 0: FIFO
};

// Reads the environment. Errors: Error(bad_option) naming variable, value and what is allowed.
Options read_options();

// What ROAM_HELP=1 prints.
std::string options_help();

}  // namespace roam

#endif  // ROAM_BASE_OPTIONS_H_
