#ifndef ROAM_BASE_OS_MAPPINGS_H_
#define ROAM_BASE_OS_MAPPINGS_H_

#include <string>
#include <vector>

#include "base/range.h"

// What this process's addresses hold, as the kernel and the dynamic linker tell it.
namespace roam::os {

struct Mapping {
  Range range;
  bool writable = false;
  bool shared = false;
  std::string name;  // file, "[heap]", "[stack]", ...; empty: anonymous memory
};
// All mappings, in the order of their addresses; of neighbours that are alike, one. Empty if there
// is no /proc.
std::vector<Mapping> mappings();

// The program or a library that is loaded.
struct Module {
  std::string path;
  bool program = false;          // the program itself
  std::vector<Range> segments;   // all that is loaded
  std::vector<Range> variables;  // what of it stays writable: .data and .bss, not constants that
                                 // were relocated
  std::vector<Range> stored;     // what of the variables has its first values in the file: .data
  Range thread_local_data;       // of the calling kernel thread; empty: none yet
  const char* name() const;      // of the path, what is behind the last slash
};
std::vector<Module> modules();
// How often modules have been loaded and unloaded so far: unchanged, modules() is too.
unsigned long long module_changes();

// Copies memory that another kernel thread may unmap meanwhile. False: it is not there.
bool copy_memory(Range from, void* to);

// The variable or function that has the address, e.g. "environ" or "environ + 8"; empty if the
// dynamic linker knows none there.
std::string symbol_at(Address address);

// Where libc keeps what it knows of the calling kernel thread, behind its thread-local data.
Range kernel_thread_descriptor();

}  // namespace roam::os

#endif  // ROAM_BASE_OS_MAPPINGS_H_
