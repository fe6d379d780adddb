#ifndef ROAM_RUNTIME_CHECK_PROCESS_MAP_H_
#define ROAM_RUNTIME_CHECK_PROCESS_MAP_H_

#include <functional>
#include <string>
#include <vector>

#include "base/os/mappings.h"
#include "base/range.h"

namespace roam::runtime {

// What an address outside of the arena is in.
struct Place {
  enum class Kind {
    kNothing,      // no memory, or none that a thread of the program could mean: freed, or the
                   // runtime's own
    kConstant,     // code, constants, and what is the same in every process
    kVariable,     // .data and .bss
    kThreadLocal,  // the same of the kernel thread
    kBlock,        // of glibc's heap, in use
    kMapping,
    kStack,  // of the rank's kernel thread, with the program's arguments and environment
  };
  Kind kind = Kind::kNothing;
  Range range{};                       // of a block, mapping or stack
  const os::Module* module = nullptr;  // of a variable
  std::string name;                    // of a mapping

  // Of a variable: whether programs know it by a name, or it is what localtime() returns.
  bool has_name(Address address) const;
  // E.g. "variable environ of libc.so.6".
  std::string describe(Address address) const;
};

// What is where in this process, for who looks at pointers. Context: the rank's kernel thread,
// capture off; other kernel threads may allocate meanwhile.
class ProcessMap {
 public:
  // What is mapped between the two calls is the runtime's and MPI's: nowhere, for find().
  static void runtime_starts();
  static void runtime_started();

  // What was found before holds no longer.
  void refresh();

  Place find(Address address);
  // Calls `visit` with all memory where libraries and glibc's heap may keep pointers: variables of
  // libraries, thread-local ones, blocks in use. Not with the program's own variables, the
  // runtime's blocks, and what MPI allocated.
  //
  // `words` is a copy of what is in `range`, or what is there.
  using Visit = std::function<void(Range range, const Address* words, const Place&)>;
  void for_each_holder(const Visit& visit);

 private:
  struct Part {
    Range range;
    Place place;
  };
  void visit_copied(Range block, const Visit& visit);
  void read_modules();
  void read_memory();
  Part* part_of(std::vector<Part>& parts, Address address);
  Place block_at(Range mapping, Address address) const;
  bool known_everywhere(const os::Module& module, Address address) const;

  std::vector<os::Module> modules_;
  unsigned long long module_changes_ = 0;
  std::vector<Part> module_parts_;  // by address
  std::vector<Part> memory_;        // mappings, by address
  std::vector<Range> blocks_;       // of [heap]
  bool memory_read_ = false;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECK_PROCESS_MAP_H_
